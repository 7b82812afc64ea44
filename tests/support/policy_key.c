#include "tests/support/policy_key.h"

#include <string.h>

#include "policy/key.h"
#include "policy/policy.h"

#include "tests/support/test.h"

void
policy_key_of(const struct policy_facts *facts, char to[POLICY_KEY_TEXT])
{
	struct tls_plan plan = policy_plan(facts);
	struct buf key;

	buf_init(&key, POLICY_KEY_TEXT - 1);
	assert_int_equal(policy_key(&plan, &key), 0);
	memcpy(to, key.p, key.n);
	to[key.n] = '\0';
	buf_free(&key);
}
