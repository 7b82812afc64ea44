/* The jobs that wait, the one due first on top.  Private; see index.h. */
#pragma once
#include "queue/index.h"

void heap_add(struct index *index, struct job *job);
void heap_remove(struct index *index, struct job *job);
