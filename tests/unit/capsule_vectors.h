/* SPDX-License-Identifier: MIT */
/* The lines of tests/data/capsule/, see the README there. */
#pragma once

#include "tests/unit/unit.h"

#define VECTOR_COLUMNS 4
#define VECTOR_OCTETS_MAX 2048

struct vector {
	char *line;
	const char *column[VECTOR_COLUMNS];	/* missing ones are "" */
	uint8_t octets[VECTOR_OCTETS_MAX];	/* of column 1 */
	size_t len;
};

static inline FILE *
vectors_open(const char *name)
{
	const char *data = getenv("WK_DATA");
	char path[512];
	FILE *fp;

	if (data == NULL)	/* by hand, in a build directory */
		data = "../tests/data";
	snprintf(path, sizeof(path), "%s/capsule/%s", data, name);
	fp = fopen(path, "r");
	if (fp == NULL)
		fail_msg("cannot read %s", path);
	return fp;
}

static inline int
vector_next(FILE *fp, struct vector *v)
{
	size_t size = 0, i;
	char *at;

	v->line = NULL;
	if (getline(&v->line, &size, fp) < 0) {
		free(v->line);
		fclose(fp);
		return 0;
	}
	v->line[strcspn(v->line, "\n")] = '\0';
	for (at = v->line, i = 0; i < VECTOR_COLUMNS; i++) {
		v->column[i] = at;
		at += strcspn(at, "\t");
		if (*at == '\t')
			*at++ = '\0';
	}
	v->len = unhex(v->column[1], v->octets, sizeof(v->octets));
	return 1;
}

static inline void
vector_done(struct vector *v)
{
	free(v->line);
}
