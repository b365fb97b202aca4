/* SPDX-License-Identifier: MIT */
/*
 * What the command line asks a server for: the options that say which tunnel,
 * the request made of them, and its answer in words.
 */
#pragma once

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/cli/netopt.h"
#include "common/net/stream.h"
#include "common/wire/message.h"
#include "common/wire/url.h"

/* Everything is borrowed; texts may be NULL unless it says otherwise. */
struct wk_tunnel_options {
	const char *url;		/* never NULL */
	const char *target, *template_text;
	const char *target_name;	/* how users know it: "--target " */
	const char *protocol;		/* never NULL: "connect-udp" */
	const char *authority;
	const char *auth;		/* file with credentials */
	const struct wk_option_list *headers;
	const struct wk_net_client *net;
	unsigned versions;		/* set of enum wk_http_version */
};

#define WK_TUNNEL_FIELDS_MAX (WK_OPTION_LIST_MAX + 4)

struct wk_tunnel_request {
	struct wk_url url;
	struct wk_message message;	/* borrows from the rest */
	struct wk_field fields[WK_TUNNEL_FIELDS_MAX];
	struct wk_buf names, credentials;
};

/* WK_EXIT_OK, or an exit code after a message; then there is nothing to free. */
int wk_tunnel_request_init(struct wk_tunnel_request *r,
    const struct wk_tunnel_options *options);
void wk_tunnel_request_free(struct wk_tunnel_request *r);

/*
 * Why an answer opens no tunnel: its status in words and what the proxy adds
 * (RFC 9209), in text.
 */
#define WK_TUNNEL_REASON_MAX 1024
const char *wk_tunnel_refusal(const struct wk_message *answer,
    char text[WK_TUNNEL_REASON_MAX]);

/*
 * Why a tunnel that was_open, or was to be opened, ended early, in text; the
 * exit code that it stands for.
 */
int wk_tunnel_failure(const struct wk_stream_end *end, bool was_open,
    char text[WK_TUNNEL_REASON_MAX]);
