/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/tunnel_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/net/access.h"
#include "common/wire/masque.h"

#define TEXT_MAX 65536

static int
take_url(struct wk_tunnel_request *r, const struct wk_tunnel_options *opt)
{
	struct wk_str protocol = wk_str_of(opt->protocol);
	struct wk_masque_target target;
	struct wk_error error;

	if (opt->target != NULL && wk_masque_target_parse(
	    wk_str_of(opt->target), protocol, &target, &error) != WK_OK)
		return wk_usage_error("%s%s: %s", opt->target_name != NULL ?
		    opt->target_name : "", opt->target, error.reason);
	if (wk_masque_url(&r->url, wk_str_of(opt->url), opt->template_text,
	    protocol, opt->target != NULL ? &target : NULL, &error) != WK_OK)
		return wk_usage_error("%s: %s", opt->template_text != NULL ?
		    opt->template_text : opt->url, error.reason);
	return WK_EXIT_OK;
}

static int
take_credentials(struct wk_tunnel_request *r,
    const struct wk_tunnel_options *opt)
{
	struct wk_access_auth *auth;
	int rc;

	if (opt->auth == NULL)
		return WK_EXIT_OK;
	auth = wk_net_auth(opt->auth, &rc);
	if (auth == NULL)
		return rc;
	rc = wk_access_auth_value(auth, &r->credentials);
	wk_access_auth_del(auth);
	if (rc == WK_OK)
		return WK_EXIT_OK;
	wk_warn("%s: %s", opt->auth, rc == WK_E_LIMIT ?
	    "the first credentials are too long" : "out of memory");
	return rc == WK_E_LIMIT ? WK_EXIT_USAGE : WK_EXIT_SYSTEM;
}

static void
add_field(struct wk_tunnel_request *r, const char *name,
    struct wk_str value)
{
	struct wk_field *f = &r->fields[r->message.n_fields++];

	f->name = wk_str_of(name);
	f->value = value;
}

static int
take_fields(struct wk_tunnel_request *r,
    const struct wk_tunnel_options *opt)
{
	struct wk_message *m = &r->message;
	struct wk_error error;
	int n;

	m->fields = r->fields;
	add_field(r, "capsule-protocol", wk_str_of("?1"));
	if (r->credentials.len > 0)
		add_field(r, "authorization", (struct wk_str){
		    (const char *)r->credentials.data, r->credentials.len });
	n = wk_net_headers(opt->headers, r->fields, m->n_fields,
	    WK_TUNNEL_FIELDS_MAX, &r->names, &error);
	if (n < 0)
		return wk_usage_error("--header: %s", error.reason);
	m->n_fields = (size_t)n;
	if (wk_message_check(m, &error) != WK_OK ||
	    wk_message_check_tunnel_fields(m, &error) != WK_OK)
		return wk_usage_error("this request cannot be sent: %s",
		    error.reason);
	return WK_EXIT_OK;
}

int
wk_tunnel_request_init(struct wk_tunnel_request *r,
    const struct wk_tunnel_options *opt)
{
	int rc;

	memset(r, 0, sizeof(*r));
	wk_buf_init(&r->names, TEXT_MAX);
	wk_buf_init(&r->credentials, TEXT_MAX);
	rc = take_url(r, opt);
	if (rc == WK_EXIT_OK)
		rc = take_credentials(r, opt);
	if (rc == WK_EXIT_OK) {
		r->message.method = wk_str_of("CONNECT");
		r->message.protocol = wk_str_of(opt->protocol);
		r->message.scheme = r->url.scheme;
		r->message.authority = opt->authority != NULL ?
		    wk_str_of(opt->authority) : r->url.authority;
		r->message.path = r->url.path;
		rc = take_fields(r, opt);
	}
	if (rc != WK_EXIT_OK)
		wk_tunnel_request_free(r);
	return rc;
}

void
wk_tunnel_request_free(struct wk_tunnel_request *r)
{
	wk_url_free(&r->url);
	wk_buf_free(&r->names);
	if (r->credentials.data != NULL)
		explicit_bzero(r->credentials.data, r->credentials.cap);
	wk_buf_free(&r->credentials);
}

/* --- answers -------------------------------------------------------------- */

const char *
wk_tunnel_refusal(const struct wk_message *m, char text[WK_TUNNEL_REASON_MAX])
{
	const struct wk_field *status = wk_message_find(m, "proxy-status", NULL);
	const char *reason = wk_message_reason(m->status);
	struct wk_buf more;

	wk_buf_init(&more, 800);
	if (status != NULL) {
		wk_buf_printf(&more, "; proxy-status: ");
		wk_text_escape(&more, status->value.at, status->value.len, 0);
		more.status = WK_OK;	/* a long one is cut */
	}
	snprintf(text, WK_TUNNEL_REASON_MAX,
	    "the tunnel was refused: %u%s%s%.*s", m->status,
	    *reason != '\0' ? " " : "", reason, (int)more.len,
	    (const char *)more.data);
	wk_buf_free(&more);
	return text;
}

static const char *
code_text(enum wk_stream_code code)
{
	static const char *const texts[] = {
		[WK_STREAM_NO_ERROR] = "no error",
		[WK_STREAM_CANCEL] = "cancelled",
		[WK_STREAM_MALFORMED] = "it found our message malformed",
		[WK_STREAM_DATAGRAM] = "it found our datagram malformed",
		[WK_STREAM_CONNECT] = "its connection to the target failed",
		[WK_STREAM_REFUSED] = "not processed",
		[WK_STREAM_OVERLOAD] = "too much load",
		[WK_STREAM_INTERNAL] = "internal error",
		[WK_STREAM_OTHER] = "another reason",
	};

	return (size_t)code < sizeof(texts) / sizeof(texts[0]) &&
	    texts[code] != NULL ? texts[code] : "";
}

int
wk_tunnel_failure(const struct wk_stream_end *end, bool was_open,
    char text[WK_TUNNEL_REASON_MAX])
{
	switch (end->code) {
	case WK_STREAM_UNSUPPORTED:
		snprintf(text, WK_TUNNEL_REASON_MAX, "%s", end->reason);
		return WK_EXIT_REFUSED;
	case WK_STREAM_LOST:
		snprintf(text, WK_TUNNEL_REASON_MAX, "%s", end->reason);
		return WK_EXIT_NETWORK;
	default:
		if (end->is_ours) {
			snprintf(text, WK_TUNNEL_REASON_MAX, "%s", end->reason);
			return WK_EXIT_PROTOCOL;
		}
		snprintf(text, WK_TUNNEL_REASON_MAX,
		    "the peer reset the tunnel: %s (%s, code 0x%" PRIx64 ")",
		    code_text(end->code), end->reason, end->wire_code);
		return was_open ? WK_EXIT_NETWORK : WK_EXIT_REFUSED;
	}
}
