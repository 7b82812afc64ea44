#include "queue/throttle.h"

void
throttle_start(struct throttle *throttle, uint32_t most)
{
	*throttle = (struct throttle){
	    .limit = most < THROTTLE_START ? most : THROTTLE_START};
}

void
throttle_good(struct throttle *throttle, uint32_t most)
{
	throttle->dead = 0;
	if (throttle->cautious && ++throttle->credit < throttle->limit)
		return;
	throttle->credit = 0;
	if (throttle->limit < most)
		throttle->limit++;
}

void
throttle_busy(struct throttle *throttle)
{
	throttle->dead = 0;
	throttle->cautious = true;
	throttle->credit = 0;
	throttle->limit = throttle->limit > 1 ? throttle->limit / 2 : 1;
}

int64_t
throttle_dead(struct throttle *throttle, int64_t first)
{
	int64_t wait = first;

	for (uint32_t i = 0; i < throttle->dead && wait < THROTTLE_LONGEST; i++)
		wait *= 2;
	throttle->dead++;
	throttle->limit = 1;
	throttle->credit = 0;
	throttle->cautious = false;
	return wait < THROTTLE_LONGEST ? wait : THROTTLE_LONGEST;
}
