/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/request.h"

#include <string.h>

#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/net/access.h"
#include "common/wire/masque.h"

#define TEXT_MAX 65536

static int
take_url(struct request *r, const struct options *opt)
{
	struct wk_str protocol = wk_str_of(opt->protocol);
	struct wk_masque_target target;
	struct wk_error error;

	if (opt->target != NULL && wk_masque_target_parse(
	    wk_str_of(opt->target), protocol, &target, &error) != WK_OK)
		return wk_usage_error("--target %s: %s", opt->target,
		    error.reason);
	if (wk_masque_url(&r->url, wk_str_of(opt->url), opt->template_text,
	    protocol, opt->target != NULL ? &target : NULL, &error) != WK_OK)
		return wk_usage_error("%s: %s", opt->template_text != NULL ?
		    opt->template_text : opt->url, error.reason);
	return WK_EXIT_OK;
}

static int
take_credentials(struct request *r, const struct options *opt)
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
add_field(struct request *r, const char *name, struct wk_str value)
{
	struct wk_field *f = &r->fields[r->message.n_fields++];

	f->name = wk_str_of(name);
	f->value = value;
}

static int
take_fields(struct request *r, const struct options *opt)
{
	struct wk_message *m = &r->message;
	struct wk_error error;
	int n;

	m->fields = r->fields;
	add_field(r, "capsule-protocol", wk_str_of("?1"));
	if (r->credentials.len > 0)
		add_field(r, "authorization", (struct wk_str){
		    (const char *)r->credentials.data, r->credentials.len });
	n = wk_net_headers(&opt->headers, r->fields, m->n_fields,
	    REQUEST_FIELDS_MAX, &r->names, &error);
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
request_init(struct request *r, const struct options *opt)
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
		request_free(r);
	return rc;
}

void
request_free(struct request *r)
{
	wk_url_free(&r->url);
	wk_buf_free(&r->names);
	if (r->credentials.data != NULL)
		explicit_bzero(r->credentials.data, r->credentials.cap);
	wk_buf_free(&r->credentials);
}
