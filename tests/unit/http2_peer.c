/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/http2_peer.h"

#include <inttypes.h>

#include "common/net/loop.h"

static struct peer *
peer_of(struct wk_stream *s)
{
	struct peer *p = wk_session_arg(wk_stream_session(s));

	if (p->in_verb > 0)
		fail_msg("an event inside a verb");
	return p;
}

static void __attribute__((format(printf, 2, 3)))
note(struct peer *p, const char *format, ...)
{
	va_list ap;

	if (p->log.len > 0)
		wk_buf_printf(&p->log, "; ");
	va_start(ap, format);
	wk_buf_vprintf(&p->log, format, ap);
	va_end(ap);
}

static void
note_head(struct peer *p, const char *what, const struct wk_message *m)
{
	size_t i;

	if (wk_message_is_request(m))
		note(p, "%s %.*s %.*s %.*s", what, (int)m->method.len,
		    m->method.at, (int)m->authority.len, m->authority.at,
		    (int)m->path.len, m->path.at);
	else
		note(p, "%s %u%s", what, m->status,
		    m->opens_tunnel ? " opens" : "");
	if (m->protocol.len > 0)
		wk_buf_printf(&p->log, " for %.*s", (int)m->protocol.len,
		    m->protocol.at);
	for (i = 0; i < m->n_fields; i++)
		wk_buf_printf(&p->log, " %.*s=%.*s",
		    (int)m->fields[i].name.len, m->fields[i].name.at,
		    (int)m->fields[i].value.len, m->fields[i].value.at);
}

static void
on_informational(struct wk_stream *s, const struct wk_message *m)
{
	note_head(peer_of(s), "inform", m);
}

static void
on_head(struct wk_stream *s, const struct wk_message *m)
{
	note_head(peer_of(s), "head", m);
}

static void
on_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct peer *p = peer_of(s);

	(void)data;
	assert_true(len > 0);
	note(p, "data %zu", len);
	if (!p->keeps) {
		p->in_verb++;
		wk_stream_consume(s, len);
		p->in_verb--;
	}
	if (p->on_data != NULL)
		p->on_data(p, s);
}

static void
on_end(struct wk_stream *s)
{
	note(peer_of(s), "end");
}

static void
on_writable(struct wk_stream *s)
{
	struct peer *p = peer_of(s);

	note(p, "writable");
	if (p->on_writable != NULL)
		p->on_writable(p, s);
}

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct peer *p = peer_of(s);

	if (end == NULL) {
		note(p, "closed");
	} else {
		assert_non_null(end->reason);
		assert_true(end->reason[0] != '\0');
		note(p, "%s %d", end->is_ours ? "ours" : "theirs", end->code);
	}
	p->s = NULL;
	if (p->on_closed != NULL)
		p->on_closed(p);
}

const struct wk_stream_handler peer_handler = {
	.informational = on_informational,
	.head = on_head,
	.data = on_data,
	.end = on_end,
	.writable = on_writable,
	.closed = on_closed,
};

static void
on_request(struct wk_session *session, struct wk_stream *s,
    const struct wk_message *m)
{
	struct peer *p = wk_session_arg(session);

	assert_int_equal(p->in_verb, 0);
	p->s = s;
	note_head(p, "request", m);
	if (p->request != NULL)
		p->request(p, s, m);
	else
		wk_stream_handle(s, &peer_handler, p);
}

static void
on_draining(struct wk_session *session)
{
	note(wk_session_arg(session), "draining");
}

static void
on_trace(struct wk_session *session, enum wk_trace kind, uint64_t id,
    const char *text)
{
	struct peer *p = wk_session_arg(session);

	wk_buf_printf(&p->traced, "%c%" PRIu64 " %s\n", "*><FR"[kind], id,
	    text);
}

struct peer *
peer_new(bool is_server, const struct wk_session_limits *limits)
{
	struct wk_session_limits defaults;
	struct peer *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	wk_session_limits_default(&defaults);
	p->handler = (struct wk_session_handler){
		.request = on_request,
		.draining = on_draining,
		.trace = on_trace,
		.trace_level = 2,
	};
	wk_buf_init(&p->log, 1 << 20);
	wk_buf_init(&p->sent, 256 << 20);
	wk_buf_init(&p->traced, 64 << 20);
	p->now_ns = 1000 * PEER_SEC;
	assert_int_equal(nghttp2_hd_deflate_new(&p->deflater, 4096), 0);
	assert_int_equal(nghttp2_hd_inflate_new(&p->inflater), 0);
	p->session = wk_http2_session_new(is_server,
	    limits != NULL ? limits : &defaults, &p->handler, p, p->now_ns);
	assert_non_null(p->session);
	return p;
}

void
peer_del(struct peer *p)
{
	wk_session_del(p->session);
	nghttp2_hd_deflate_del(p->deflater);
	nghttp2_hd_inflate_del(p->inflater);
	wk_buf_free(&p->log);
	wk_buf_free(&p->sent);
	wk_buf_free(&p->traced);
	free(p);
}

static void
parse(struct peer *p)
{
	struct peer_frame *f;
	const uint8_t *at;
	size_t len;

	if (p->parsed == 0 && !wk_session_is_server(p->session) &&
	    p->sent.len >= strlen(WK_HTTP2_PREFACE)) {
		assert_memory_equal(p->sent.data, WK_HTTP2_PREFACE,
		    strlen(WK_HTTP2_PREFACE));
		p->parsed = strlen(WK_HTTP2_PREFACE);
	}
	while (p->sent.len - p->parsed >= 9) {
		at = p->sent.data + p->parsed;
		len = (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];
		assert_true(len <= 16384);
		if (p->sent.len - p->parsed < 9 + len)
			break;
		assert_true(p->n_frames < sizeof(p->frames) /
		    sizeof(p->frames[0]));
		f = &p->frames[p->n_frames++];
		*f = (struct peer_frame){ .at = p->parsed + 9, .len = len,
			.type = at[3], .flags = at[4],
			.id = (uint32_t)at[5] << 24 | (uint32_t)at[6] << 16 |
			    (uint32_t)at[7] << 8 | at[8] };
		p->parsed += 9 + len;
	}
}

void
peer_fetch(struct peer *p)
{
	const uint8_t *data;
	size_t n;

	if (p->is_deaf || p->session == NULL)
		return;
	while (p->session != NULL &&
	    (n = wk_session_output(p->session, &data)) > 0) {
		assert_int_equal(wk_buf_append(&p->sent, data, n), WK_OK);
		wk_session_sent(p->session, n, p->now_ns);
	}
	if (p->session != NULL)
		parse(p);
}

void
peer_send(struct peer *p, const void *octets, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	struct wk_error error = { .status = WK_OK };

	if (len > 0)
		memcpy(copy, octets, len);
	if (p->session != NULL) {
		p->status = wk_session_receive(p->session, copy, len,
		    p->now_ns, &error);
		assert_int_equal(p->status, error.status);
		if (p->status != WK_OK)
			p->error = error;
	}
	free(copy);
	peer_fetch(p);
}

void
peer_frame(struct peer *p, uint8_t type, uint8_t flags, uint32_t id,
    const void *payload, size_t len)
{
	struct wk_buf b;

	wk_buf_init(&b, 1 << 24);
	wk_buf_uint(&b, len, 3);
	wk_buf_uint(&b, type, 1);
	wk_buf_uint(&b, flags, 1);
	wk_buf_uint(&b, id, 4);
	wk_buf_append(&b, payload, len);
	peer_send(p, b.data, b.len);
	wk_buf_free(&b);
}

void
peer_u32(struct peer *p, uint8_t type, uint32_t id, uint32_t value)
{
	const uint8_t payload[4] = { (uint8_t)(value >> 24),
		(uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value };

	peer_frame(p, type, 0, id, payload, 4);
}

void
peer_greet(struct peer *p, const uint32_t *settings, size_t n)
{
	struct wk_buf b;
	size_t i;

	peer_fetch(p);
	if (wk_session_is_server(p->session))
		peer_send(p, WK_HTTP2_PREFACE, strlen(WK_HTTP2_PREFACE));
	wk_buf_init(&b, 1024);
	for (i = 0; i < n; i += 2) {
		wk_buf_uint(&b, settings[i], 2);
		wk_buf_uint(&b, settings[i + 1], 4);
	}
	peer_frame(p, NGHTTP2_SETTINGS, 0, 0, b.data, b.len);
	wk_buf_free(&b);
	peer_frame(p, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
	p->looked = p->n_frames;
}

void
peer_head(struct peer *p, uint8_t flags, uint32_t id, const char *lines)
{
	nghttp2_nv nv[400];
	static uint8_t block[1 << 20];
	const char *colon, *end;
	size_t n = 0;
	ssize_t len;

	while (*lines != '\0') {
		colon = strstr(lines + 1, ": ");
		end = strchr(lines, '\n');
		assert_true(colon != NULL && end != NULL && n < 400);
		nv[n++] = (nghttp2_nv){ (uint8_t *)(uintptr_t)lines,
			(uint8_t *)(uintptr_t)(colon + 2),
			(size_t)(colon - lines), (size_t)(end - colon - 2),
			NGHTTP2_NV_FLAG_NONE };
		lines = end + 1;
	}
	len = nghttp2_hd_deflate_hd(p->deflater, block, sizeof(block), nv, n);
	assert_true(len >= 0);
	if ((flags & 0x80) != 0)
		flags &= 0x7f;
	else
		flags |= NGHTTP2_FLAG_END_HEADERS;
	peer_frame(p, NGHTTP2_HEADERS, flags, id, block, (size_t)len);
}

void
peer_pass(struct peer *p, uint64_t ns)
{
	uint64_t until = p->now_ns + ns, next;

	while ((next = wk_session_deadline_ns(p->session)) <= until) {
		p->now_ns = next > p->now_ns ? next : p->now_ns;
		wk_session_expire(p->session, p->now_ns);
		assert_true(wk_session_deadline_ns(p->session) > p->now_ns);
		peer_fetch(p);
	}
	p->now_ns = until;
	peer_fetch(p);
}

const struct peer_frame *
peer_find(struct peer *p, uint8_t type)
{
	while (p->looked < p->n_frames)
		if (p->frames[p->looked++].type == type)
			return &p->frames[p->looked - 1];
	return NULL;
}

const struct peer_frame *
peer_next(struct peer *p, uint8_t type)
{
	const struct peer_frame *f = peer_find(p, type);

	if (f == NULL)
		fail_msg("no frame of type %u was sent", type);
	return f;
}

uint32_t
peer_value(const struct peer *p, const struct peer_frame *f, size_t at)
{
	const uint8_t *v = p->sent.data + f->at + at;

	assert_true(at + 4 <= f->len);
	return (uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 |
	    (uint32_t)v[2] << 8 | v[3];
}

size_t
peer_count(const struct peer *p, uint8_t type)
{
	size_t i, n = 0;

	for (i = 0; i < p->n_frames; i++)
		n += p->frames[i].type == type;
	return n;
}

const char *
peer_lines(struct peer *p, const struct peer_frame *f)
{
	static char text[4096];
	const uint8_t *in = p->sent.data + f->at;
	size_t len = f->len, at = 0;
	nghttp2_nv nv;
	ssize_t n;
	int flags;

	assert_int_equal(f->type, NGHTTP2_HEADERS);
	text[0] = '\0';
	do {
		flags = 0;
		n = nghttp2_hd_inflate_hd2(p->inflater, &nv, &flags, in, len,
		    1);
		assert_true(n >= 0);
		in += n;
		len -= (size_t)n;
		if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
			    "%.*s: %.*s\n", (int)nv.namelen, nv.name,
			    (int)nv.valuelen, nv.value);
	} while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0);
	nghttp2_hd_inflate_end_headers(p->inflater);
	return text;
}

void
peer_expect(struct peer *p, const char *events)
{
	wk_buf_append(&p->log, "", 1);
	if (strcmp((const char *)p->log.data, events) != 0)
		fail_msg("heard: %s\nbut not: %s", (const char *)p->log.data,
		    events);
	wk_buf_clear(&p->log);
}

void
peer_expect_reset(struct peer *p, uint32_t id, uint32_t code)
{
	const struct peer_frame *f = peer_next(p, NGHTTP2_RST_STREAM);

	assert_int_equal(f->id, id);
	assert_int_equal(peer_value(p, f, 0), code);
}

void
peer_expect_goaway(struct peer *p, uint32_t code)
{
	const struct peer_frame *f = peer_next(p, NGHTTP2_GOAWAY);

	assert_int_equal(peer_value(p, f, 4), code);
	assert_true(p->status != WK_OK);
	assert_true(p->error.reason[0] != '\0');
	assert_int_equal(wk_session_fate(p->session), WK_SESSION_CLOSE);
}

struct wk_stream *
peer_request(struct peer *p, const char *method, const char *protocol,
    bool has_body)
{
	const struct wk_message m = {
		.method = wk_str_of(method),
		.protocol = wk_str_of(protocol),
		.scheme = wk_str_of("https"),
		.authority = wk_str_of("example.org"),
		.path = wk_str_of("/"),
	};
	struct wk_stream *s;

	p->in_verb++;
	s = wk_session_request(p->session, &m, has_body, &peer_handler, p,
	    &p->error);
	p->in_verb--;
	if (s != NULL)
		p->s = s;
	peer_fetch(p);
	return s;
}

int
peer_respond(struct peer *p, struct wk_stream *s, unsigned status, bool is_last)
{
	const struct wk_message m = { .status = (uint16_t)status };
	int rc;

	p->in_verb++;
	rc = wk_stream_respond(s, &m, is_last, &p->error);
	p->in_verb--;
	return rc;
}
