/* SPDX-License-Identifier: MIT */
/*
 * Rules for targets, a line each: "+" allows, "-" denies, "?HOST PORT" asks.
 * An answer does not depend on the case of the name, and nothing private is
 * reached that no address rule names. With "!" in front of all, a file of
 * credentials: what the first of them sends is accepted.
 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/net/access.h"

#define LINES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool fact)
{
	if (!fact)
		abort();
}

static void
try_credentials(const uint8_t *data, size_t size)
{
	int fd = memfd_create("auth", 0);
	struct wk_field field = { { "authorization", 13 }, { NULL, 0 } };
	struct wk_message m = { .fields = &field, .n_fields = 1 };
	struct wk_error error = { .offset = 0 };
	struct wk_access_auth *auth;
	bool is_proxy_field;
	struct wk_buf b;
	char path[64];

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	auth = wk_access_auth_load(path, &error);
	close(fd);
	if (auth == NULL) {
		require(error.reason[0] != '\0');
		return;
	}
	wk_buf_init(&b, 1 << 20);
	require(wk_access_auth_value(auth, &b) == WK_OK);
	field.value = (struct wk_str){ (const char *)b.data, b.len };
	require(wk_access_auth_check(auth, &m, &is_proxy_field));
	require(!is_proxy_field);
	/* One octet less is somebody else, unless that is in the file, too. */
	field.value.len = 0;
	require(!wk_access_auth_check(auth, &m, &is_proxy_field));
	wk_buf_free(&b);
	wk_access_auth_del(auth);
}

static void
ask(const struct wk_access_targets *targets, char *host, bool has_prefixes)
{
	char *blank = strchr(host, ' '), *c;
	struct wk_address address;
	struct wk_str name;
	struct wk_error error;
	uint16_t port;
	bool by_name;

	port = blank != NULL ? (uint16_t)atoi(blank + 1) : 53;
	if (blank != NULL)
		*blank = '\0';
	name = wk_str_of(host);
	by_name = wk_access_targets_name(targets, name, port);
	if (wk_address_from_ip(&address, wk_str_of("127.0.0.1"), port) ==
	    WK_OK && wk_access_targets_address(targets, name, &address,
	    &error) == WK_OK)
		require(has_prefixes);
	if (wk_address_from_ip(&address, name, port) == WK_OK)
		wk_access_targets_address(targets, name, &address, &error);
	for (c = host; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	require(wk_access_targets_name(targets, name, port) == by_name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wk_access_targets *targets;
	char *text, *line, *rest;
	struct wk_error error;
	bool has_prefixes = false;
	int i;

	if (size > 0 && data[0] == '!') {
		try_credentials(data + 1, size - 1);
		return 0;
	}
	text = rest = strndup((const char *)data, size);
	targets = wk_access_targets_new();
	require(text != NULL && targets != NULL);
	for (i = 0; i < LINES_MAX && (line = strsep(&rest, "\n")) != NULL; i++) {
		if (*line == '?') {
			ask(targets, line + 1, has_prefixes);
			continue;
		}
		error.reason[0] = '\0';
		if (*line == '+' || *line == '-') {
			if (wk_access_targets_add(targets, *line == '+',
			    line + 1, &error) != WK_OK)
				require(error.reason[0] != '\0');
			else if (*line == '+' && strpbrk(line, ".:") != NULL)
				has_prefixes |= isxdigit((unsigned char)
				    line[1]) || line[1] == '[' ||
				    line[1] == ':';
		}
	}
	wk_access_targets_del(targets);
	free(text);
	return 0;
}
