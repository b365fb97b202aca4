/* SPDX-License-Identifier: MIT */
/* A connection to a running proxy, for those who look at it: one at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define LINK_BUFFER 65536

struct link {			/* fields are private */
	const char *address;
	int fd;
	char data[LINK_BUFFER];
	size_t at, len;
};

/* "ADDR:PORT", "[IPV6]:PORT" or "unix:PATH". An exit code, after a message. */
int link_open(struct link *l, const char *address);
void link_close(struct link *l);

/* False, after a message, when the proxy went away or says nothing. */
bool link_send(struct link *l, const char *text, size_t len);

/* The next line without its end, until the next call; or NULL, as above. */
char *link_line(struct link *l);

/* So many octets behind a line, as pieces; NULL as above. *got is the size. */
const char *link_data(struct link *l, size_t want, size_t *got);
