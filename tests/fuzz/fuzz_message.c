/* SPDX-License-Identifier: MIT */
/*
 * A request and its response of any content: what wk_message_check() lets
 * pass arrives over HTTP/1.1 as it was sent, and as nothing else. Lines of the
 * input are the parts of the request, the response's status, then fields,
 * those of the response behind an empty line.
 */
#include "config.h"

#include <stdlib.h>

#include "common/net/http1_session.h"

#define FIELDS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct exchange {
	struct wk_message request, response;
	struct wk_field fields[2][FIELDS_MAX];
	unsigned n_requests, n_responses;
};

static struct exchange x;

static void
require(bool claim)
{
	if (!claim)
		abort();
}

static struct wk_str
next_line(const char **at, size_t *left)
{
	const char *end = *left > 0 ? memchr(*at, '\n', *left) : NULL;
	struct wk_str line = { *at, end == NULL ? *left :
		(size_t)(end - *at) };
	size_t used = end == NULL ? *left : line.len + 1;

	*at += used;
	*left -= used;
	return line;
}

static size_t
read_fields(const char **at, size_t *left, struct wk_field *fields)
{
	struct wk_str line, *name, *value;
	const char *equals;
	size_t n = 0;

	while (n < FIELDS_MAX && *left > 0) {
		line = next_line(at, left);
		if (line.len == 0)
			break;
		name = &fields[n].name;
		value = &fields[n].value;
		equals = memchr(line.at, '=', line.len);
		*name = line;
		*value = (struct wk_str){ NULL, 0 };
		if (equals != NULL) {
			name->len = (size_t)(equals - line.at);
			*value = (struct wk_str){ equals + 1,
				line.len - name->len - 1 };
		}
		n++;
	}
	return n;
}

/* The same but for the length of a body, which sessions may add. */
static void
require_same(const struct wk_message *a, const struct wk_message *b)
{
	size_t i, k = 0;

	require(wk_str_equals(a->method, b->method));
	require(wk_str_equals(a->protocol, b->protocol));
	require(wk_str_equals(a->authority, b->authority));
	require(wk_str_equals(a->path, b->path));
	require(a->status == b->status || b->opens_tunnel);
	if (wk_message_find(a, "content-length", NULL) == NULL &&
	    b->n_fields > 0 && wk_str_is(b->fields[0].name, "content-length"))
		k = 1;
	require(a->n_fields + k == b->n_fields);
	for (i = 0; i < a->n_fields; i++) {
		require(wk_str_equals(a->fields[i].name,
		    b->fields[i + k].name));
		require(wk_str_equals(a->fields[i].value,
		    b->fields[i + k].value));
	}
}

static void
on_request(struct wk_session *session, struct wk_stream *s,
    const struct wk_message *m)
{
	int rc = wk_message_check(&x.response, NULL);

	(void)session;
	require(x.n_requests++ == 0);
	require_same(&x.request, m);
	if (rc == WK_OK && x.response.status >= 200)
		rc = wk_stream_respond(s, &x.response, true, NULL);
	else if (rc == WK_OK)
		rc = wk_stream_respond_informational(s, &x.response, NULL);
	if (rc != WK_OK || x.response.status < 200)
		wk_stream_reset(s, WK_STREAM_INTERNAL, "");
}

static void
on_head(struct wk_stream *s, const struct wk_message *m)
{
	(void)s;
	require(x.n_responses++ == 0);
	require_same(&x.response, m);
}

static void
carry(struct wk_session *from, struct wk_session *to)
{
	const uint8_t *data;
	struct wk_error error;
	size_t n;

	while ((n = wk_session_output(from, &data)) > 0) {
		require(wk_session_receive(to, data, n, 1, &error) == WK_OK);
		wk_session_sent(from, n, 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct wk_session_handler handler = {
		.request = on_request,
	};
	static const struct wk_stream_handler stream_handler = {
		.informational = on_head,
		.head = on_head,
	};
	const char *at = (const char *)data;
	struct wk_session *client, *server;
	struct wk_session_limits limits;
	struct wk_str status;
	struct wk_stream *s;

	memset(&x, 0, sizeof(x));
	x.request.method = next_line(&at, &size);
	x.request.protocol = next_line(&at, &size);
	x.request.scheme = next_line(&at, &size);
	x.request.authority = next_line(&at, &size);
	x.request.path = next_line(&at, &size);
	status = next_line(&at, &size);
	while (status.len > 0 && x.response.status < 1000) {
		x.response.status = (uint16_t)(x.response.status * 10 +
		    ((unsigned)*status.at++ & 15));
		status.len--;
	}
	x.request.fields = x.fields[0];
	x.request.n_fields = read_fields(&at, &size, x.fields[0]);
	x.response.fields = x.fields[1];
	x.response.n_fields = read_fields(&at, &size, x.fields[1]);
	wk_session_limits_default(&limits);
	client = wk_http1_session_new(false, &limits, &handler, NULL, 1);
	server = wk_http1_session_new(true, &limits, &handler, NULL, 1);
	require(client != NULL && server != NULL);
	s = wk_session_request(client, &x.request, false, &stream_handler,
	    NULL, NULL);
	if (s != NULL) {
		carry(client, server);
		carry(server, client);
	}
	wk_session_del(client);
	wk_session_del(server);
	return 0;
}
