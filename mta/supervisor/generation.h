/* One configuration with what was made from it; private to mta/supervisor/. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "mta/account.h"
#include "mta/bundle.h"
#include "mta/config.h"
#include "mta/ipc.h"

struct supervisor;

/* Lives as long as its roles. */
struct generation {
	uint32_t number;
	bool is_renewal; /* the configuration is that of before */
	unsigned children;
	struct config *config;
	struct bundle *bundle;
	int fd_public; /* bundle without keys */
	int fd_tls;    /* with the keys of certificates: receive only */
	int fd_dkim;   /* with those that sign reports: report only */
	struct account account;
};

/* Takes config and bundle, also when it fails. */
struct generation *generation_new(struct supervisor *sup, struct config *config,
    struct bundle *bundle, struct err *err);
void generation_free(struct generation **generation);
/* Are sessions counted, or reports taken from mail? */
bool generation_has_report(const struct config *config);
/* The bundle for a role, with the keys it has use for and no others. */
int generation_bundle(const struct generation *generation, enum role_kind kind);
