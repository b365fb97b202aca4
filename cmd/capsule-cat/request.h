/* SPDX-License-Identifier: MIT */
/* The tunnel request that the command line asks for. */
#pragma once

#include "cmd/capsule-cat/options.h"
#include "common/base/buf.h"
#include "common/wire/message.h"
#include "common/wire/url.h"

#define REQUEST_FIELDS_MAX (WK_OPTION_LIST_MAX + 4)

struct request {
	struct wk_url url;
	struct wk_message message;	/* borrows from the rest */
	struct wk_field fields[REQUEST_FIELDS_MAX];
	struct wk_buf names, credentials;
};

/* WK_EXIT_OK, or an exit code after a message; then there is nothing to free. */
int request_init(struct request *r, const struct options *opt);
void request_free(struct request *r);
