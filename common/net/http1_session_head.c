/* SPDX-License-Identifier: MIT */
/* What heads mean: requests, upgrades, responses. */
#include "config.h"

#include "common/net/http1_session_parts.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Fields of the exchange, their names in lower case. */
static void
fill_fields(struct wk_http1_session *s, struct wk_message *m)
{
	struct wk_http1_incoming *inc = s->incoming;
	const struct wk_http1_head *head = &inc->reader.head;
	struct wk_str name, value;
	size_t i, k;

	m->fields = inc->fields;
	for (i = 0; i < head->n_fields; i++) {
		name = wk_http1_str(head, head->fields[i].name);
		value = wk_http1_str(head, head->fields[i].value);
		if (wk_message_is_connection_field(name) ||
		    (wk_str_is_nocase(name, "te") &&
		    !wk_str_is_nocase(value, "trailers")))
			continue;
		for (k = 0; k < name.len; k++)
			inc->text[head->fields[i].name.at + k] =
			    (char)wk_ascii_lower(name.at[k]);
		inc->fields[m->n_fields++] =
		    (struct wk_field){ .name = name, .value = value };
	}
}

static enum wk_http1_reading
reading_of(enum wk_http1_framing framing, uint64_t length)
{
	switch (framing) {
	case WK_HTTP1_LENGTH:
		return length > 0 ? WK_HTTP1_READ_LENGTH : WK_HTTP1_READ_DONE;
	case WK_HTTP1_CHUNKED:
		return WK_HTTP1_READ_CHUNKED;
	case WK_HTTP1_UNTIL_CLOSE:
		return WK_HTTP1_READ_CLOSE;
	case WK_HTTP1_TUNNEL:
		return WK_HTTP1_READ_TUNNEL;
	default:
		return WK_HTTP1_READ_DONE;
	}
}

/* What a request's Upgrade comes to. */
enum upgrade {
	UPGRADE_NONE,
	UPGRADE_TUNNEL,
	UPGRADE_IGNORED,	/* somebody may believe in it: close later */
	UPGRADE_BAD,
};

bool
wk_http1_is_other_http(struct wk_str protocol)
{
	static const char *const names[] = { "h2", "h2c", "http", "tls" };
	const char *slash = memchr(protocol.at, '/', protocol.len);
	size_t i;

	if (slash != NULL)
		protocol.len = (size_t)(slash - protocol.at);
	for (i = 0; i < N(names); i++)
		if (wk_str_is_nocase(protocol, names[i]))
			return true;
	return false;
}

static enum upgrade
find_upgrade(const struct wk_http1_head *head, const struct wk_message *m,
    bool has_body, struct wk_str *protocol, struct wk_error *error)
{
	size_t n = 0, n_other = 0;
	struct wk_http1_list list;
	struct wk_str element;

	wk_http1_list_init(&list, head, "upgrade");
	for (; wk_http1_list_next(&list, &element); n++) {
		n_other += wk_http1_is_other_http(element);
		*protocol = element;
	}
	if (n == n_other)
		return UPGRADE_NONE;
	if (head->minor == 0 || !wk_str_is(m->method, "GET") || has_body ||
	    !wk_http1_list_has(head, "connection", "upgrade"))
		return UPGRADE_IGNORED;
	if (n > 1 || !wk_message_is_protocol(*protocol)) {
		wk_error_set(error, WK_E_MALFORMED, 0,
		    "expected one protocol to upgrade to");
		return UPGRADE_BAD;
	}
	return wk_message_check_tunnel_fields(m, error) == WK_OK ?
	    UPGRADE_TUNNEL : UPGRADE_BAD;
}

/* "http://a?q" has no slash; its place is in front of the authority. */
static void
insert_slash(char *text, struct wk_str *authority, struct wk_str *path)
{
	char *at = text + (authority->at - text) - 1;

	memmove(at, authority->at, authority->len);
	authority->at = at;
	at[authority->len] = '/';
	path->at = at + authority->len;
	path->len++;
}

static void
fill_target(struct wk_http1_session *s, struct wk_message *m)
{
	struct wk_http1_incoming *inc = s->incoming;
	const struct wk_http1_head *head = &inc->reader.head;
	const struct wk_http1_field *host;
	struct wk_http1_target target;

	m->method = wk_http1_str(head, head->method);
	wk_http1_target_parse(m->method, wk_http1_str(head, head->target),
	    &target, NULL);	/* the reader has done so */
	m->authority = target.authority_text;
	if (target.form == WK_HTTP1_AUTHORITY)
		return;
	m->scheme = wk_str_of(s->scheme);
	m->path = target.path;
	if (target.form != WK_HTTP1_ABSOLUTE) {
		if (target.form == WK_HTTP1_ASTERISK)
			m->path = wk_str_of("*");
		host = wk_http1_find(head, "host", NULL);
		if (host != NULL)
			m->authority = wk_http1_str(head, host->value);
		return;
	}
	m->scheme = target.scheme;
	if (m->path.len == 0)
		m->path = wk_str_of(wk_str_is(m->method, "OPTIONS") ? "*" :
		    "/");
	else if (m->path.at[0] == '?')
		insert_slash(inc->text, &m->authority, &m->path);
}

/* A request that nobody will answer cannot stay. */
static void
after_request(struct wk_http1_session *s, struct wk_http1_stream *st)
{
	if (st->base.is_over)
		return;
	if (st->base.handler == NULL && st->writing != WK_HTTP1_WRITE_DONE) {
		wk_stream_reset(&st->base, WK_STREAM_REFUSED,
		    "nobody wants the request");
		return;
	}
	if (st->awaits_continue && st->writing == WK_HTTP1_WRITE_WAIT) {
		st->awaits_continue = false;
		wk_http1_put_continue(s);
	}
}

int
wk_http1_on_request(struct wk_http1_session *s)
{
	const struct wk_http1_head *head = &s->incoming->reader.head;
	struct wk_str none = { NULL, 0 }, protocol = none;
	enum upgrade upgrade = UPGRADE_NONE;
	enum wk_http1_framing framing;
	struct wk_message m = { .status = 0 };
	struct wk_http1_stream *st;
	struct wk_error error;
	uint64_t length;
	bool is_connect;
	int rc;

	rc = wk_http1_framing(head, none, &framing, &length, &error);
	if (rc != WK_OK)
		return wk_http1_fail(s, wk_http1_refusal(head, rc, true), &error);
	fill_target(s, &m);
	fill_fields(s, &m);
	is_connect = wk_str_is(m.method, "CONNECT");
	if (!is_connect)
		upgrade = find_upgrade(head, &m, length > 0 ||
		    framing == WK_HTTP1_CHUNKED, &protocol, &error);
	if (upgrade == UPGRADE_BAD)
		return wk_http1_fail(s, 400, &error);
	if (upgrade == UPGRADE_TUNNEL) {
		m.method = wk_str_of("CONNECT");
		m.protocol = protocol;
	}
	st = wk_http1_stream_new(s, m.protocol);
	if (st == NULL)
		return wk_http1_no_memory(s);
	st->is_connect = is_connect || upgrade == UPGRADE_TUNNEL;
	st->is_head = wk_str_is(m.method, "HEAD");
	st->is_old = head->minor == 0;
	if (st->is_connect || upgrade == UPGRADE_IGNORED ||
	    !wk_http1_is_persistent(head))
		st->is_persistent = false;
	st->awaits_continue = !st->is_old && (length > 0 ||
	    framing == WK_HTTP1_CHUNKED) &&
	    wk_http1_list_has(head, "expect", "100-continue");
	st->left_to_read = length;
	s->reading = st->is_connect ? WK_HTTP1_READ_WAIT :
	    reading_of(framing, length);
	wk_session_trace_head(&s->base, WK_TRACE_RECEIVED, st->base.id, &m);
	if (s->base.handler->request != NULL)
		s->base.handler->request(&s->base, &st->base, &m);
	after_request(s, st);
	return st->base.is_over ? WK_OK : wk_http1_start_body(s, framing);
}

/* 101 as RFC 9298, section 3.3 and RFC 9110, section 7.8 want it. */
static int
check_upgraded(const struct wk_http1_stream *st,
    const struct wk_http1_head *head, const struct wk_message *m,
    struct wk_error *error)
{
	const struct wk_http1_field *upgrade;
	const char *reason = NULL;

	upgrade = wk_http1_find(head, "upgrade", NULL);
	if (st->protocol == NULL)
		reason = "status 101 to a request without Upgrade";
	else if (head->minor == 0)
		reason = "status 101 in HTTP/1.0";
	else if (!wk_http1_list_has(head, "connection", "upgrade"))
		reason = "status 101 without Connection: upgrade";
	else if (upgrade == NULL)
		reason = "status 101 without Upgrade";
	else if (wk_http1_find(head, "upgrade", upgrade) != NULL)
		reason = "status 101 with a second Upgrade field";
	else if (!wk_str_is_nocase(wk_http1_str(head, upgrade->value),
	    st->protocol))
		reason = "status 101 upgrades to something else";
	/* The connection's fields are not in the message any more. */
	else if (wk_http1_find(head, "transfer-encoding", NULL) != NULL)
		reason = "a tunnel does not have transfer-encoding";
	if (reason != NULL)
		return wk_error_set(error, WK_E_MALFORMED, 0, "%s", reason);
	return wk_message_check_tunnel_fields(m, error);
}

/* Tell when the connection ends behind this response. */
static void
note_persistence(struct wk_http1_session *s, struct wk_http1_stream *st,
    enum wk_http1_framing framing)
{
	if (st->is_connect || framing == WK_HTTP1_UNTIL_CLOSE ||
	    !wk_http1_is_persistent(&s->incoming->reader.head))
		st->is_persistent = false;
	if (st->is_persistent || s->is_draining)
		return;
	s->is_draining = true;
	if (!st->is_connect && s->base.handler->draining != NULL)
		s->base.handler->draining(&s->base);
}

static const char *
method_of(const struct wk_http1_stream *st)
{
	if (st->is_connect && st->protocol == NULL)
		return "CONNECT";
	return st->is_head ? "HEAD" : "GET";
}

int
wk_http1_on_response(struct wk_http1_session *s)
{
	const struct wk_http1_head *head = &s->incoming->reader.head;
	struct wk_http1_stream *st = s->stream;
	struct wk_message m = { .status = head->status };
	enum wk_http1_framing framing;
	struct wk_error error;
	uint64_t length;
	int rc;

	rc = wk_http1_framing(head, wk_str_of(method_of(st)), &framing,
	    &length, &error);
	if (rc != WK_OK)
		return wk_http1_fail(s, 0, &error);
	fill_fields(s, &m);
	if (m.status == 101 &&
	    check_upgraded(st, head, &m, &error) != WK_OK)
		return wk_http1_fail(s, 0, &error);
	wk_session_trace_head(&s->base, WK_TRACE_RECEIVED, st->base.id, &m);
	if (m.status < 200 && m.status != 101) {
		wk_stream_deliver_head(&st->base, &m);
		wk_http1_incoming_del(s);
		return WK_OK;
	}
	st->left_to_read = length;
	s->reading = reading_of(framing, length);
	if (framing == WK_HTTP1_TUNNEL) {
		m.opens_tunnel = st->is_open = true;
		st->is_persistent = false;
		st->writing = WK_HTTP1_WRITE_TUNNEL;
	} else if (st->is_connect) {
		st->writing = WK_HTTP1_WRITE_DONE;
	}
	note_persistence(s, st, framing);
	if (!st->base.is_over)
		wk_stream_deliver_head(&st->base, &m);
	return st->base.is_over ? WK_OK : wk_http1_start_body(s, framing);
}
