/* What connections are shared by, as a text to compare. */
#pragma once
#include "policy/policy.h"

#define POLICY_KEY_TEXT 1024

/* The key of the plan for these facts; fails the test when there is none. */
void policy_key_of(const struct policy_facts *facts, char to[POLICY_KEY_TEXT]);
