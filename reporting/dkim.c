#include "reporting/dkim.h"

const char *
dkim_algorithm_name(enum dkim_algorithm algorithm)
{
	switch (algorithm) {
	case DKIM_ALGORITHM_OTHER:
		return "other";
	case DKIM_RSA_SHA256:
		return "rsa-sha256";
	case DKIM_ED25519_SHA256:
		return "ed25519-sha256";
	}
	return "?";
}

const char *
dkim_canon_name(enum dkim_canon canon)
{
	switch (canon) {
	case DKIM_RELAXED:
		return "relaxed";
	case DKIM_SIMPLE:
		return "simple";
	}
	return "?";
}

const char *
dkim_verdict_name(enum dkim_verdict verdict)
{
	switch (verdict) {
	case DKIM_UNKNOWN:
		return "unknown";
	case DKIM_PASS:
		return "pass";
	case DKIM_FAIL:
		return "fail";
	case DKIM_POLICY:
		return "policy";
	case DKIM_NEUTRAL:
		return "neutral";
	case DKIM_TEMPERROR:
		return "temperror";
	case DKIM_PERMERROR:
		return "permerror";
	}
	return "?";
}
