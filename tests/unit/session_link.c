/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/session_link.h"

#include <inttypes.h>

#include "common/net/loop.h"

struct wk_session *(*link_new_session)(bool is_server,
    const struct wk_session_limits *limits,
    const struct wk_session_handler *handler, void *arg, uint64_t now_ns);
struct wk_session *(*link_new_over)(bool is_server,
    const struct wk_session_limits *limits,
    const struct wk_session_handler *handler, void *arg,
    struct wk_transport *transport, uint64_t now_ns);
enum wk_http_version link_version;

#define LOG_MAX (1 << 16)
#define SHOWN_MAX 100

/* Messages */

#define POOL 64

const struct wk_message *
link_message(const struct wk_message *head, const char *fields)
{
	static struct wk_message messages[POOL];
	static struct wk_field lines[POOL][16];
	static size_t next;
	size_t i = next++ % POOL;
	struct wk_message *m = &messages[i];
	const char *colon, *end;

	*m = *head;
	m->fields = lines[i];
	m->n_fields = 0;
	while (fields != NULL && *fields != '\0') {
		end = strchrnul(fields, '\n');
		colon = strstr(fields, ": ");
		assert_non_null(colon);
		assert_true(m->n_fields < 16);
		lines[i][m->n_fields++] = (struct wk_field){
			.name = { fields, (size_t)(colon - fields) },
			.value = { colon + 2, (size_t)(end - colon - 2) },
		};
		fields = *end == '\0' ? end : end + 1;
	}
	return m;
}

static const struct wk_message *
ordinary(const char *method, const char *protocol, const char *path,
    const char *fields)
{
	const struct wk_message m = {
		.method = wk_str_of(method),
		.protocol = wk_str_of(protocol),
		.scheme = wk_str_of("http"),
		.authority = wk_str_of("example.org"),
		.path = wk_str_of(path),
	};

	return link_message(&m, fields);
}

const struct wk_message *
link_get(const char *path, const char *fields)
{
	return ordinary("GET", "", path, fields);
}

const struct wk_message *
link_post(const char *path, const char *fields)
{
	return ordinary("POST", "", path, fields);
}

const struct wk_message *
link_tunnel(const char *path, const char *fields)
{
	return ordinary("CONNECT", "connect-udp", path, fields);
}

const struct wk_message *
link_connect(const char *authority)
{
	const struct wk_message m = {
		.method = wk_str_of("CONNECT"),
		.authority = wk_str_of(authority),
	};

	return link_message(&m, NULL);
}

/* The log of a side */

static void
log_data(struct side *side)
{
	if (side->data.len == 0)
		return;
	if (side->log.len > 0)
		wk_buf_printf(&side->log, "; ");
	if (side->data.len <= SHOWN_MAX)
		wk_buf_printf(&side->log, "\"%.*s\"", (int)side->data.len,
		    (const char *)side->data.data);
	else
		wk_buf_printf(&side->log, "%zu octets", side->data.len);
	wk_buf_clear(&side->data);
}

static void __attribute__((format(printf, 2, 3)))
note(struct side *side, const char *format, ...)
{
	va_list ap;

	log_data(side);
	if (side->log.len > 0)
		wk_buf_printf(&side->log, "; ");
	va_start(ap, format);
	wk_buf_vprintf(&side->log, format, ap);
	va_end(ap);
	assert_int_equal(side->log.status, WK_OK);
}

static void
note_fields(struct side *side, const struct wk_message *m)
{
	const struct wk_field *f;
	size_t i;

	for (i = 0; i < m->n_fields; i++) {
		f = &m->fields[i];
		/* How a body's length is said differs between versions. */
		if (!wk_str_is(f->name, "content-length"))
			wk_buf_printf(&side->log, " %.*s=%.*s",
			    (int)f->name.len, f->name.at,
			    (int)f->value.len, f->value.at);
	}
}

const char *
side_log(struct side *side)
{
	log_data(side);
	wk_buf_append(&side->log, "", 1);
	assert_int_equal(side->log.status, WK_OK);
	side->log.len--;
	return (const char *)side->log.data;
}

void
side_expect(struct side *side, const char *want)
{
	if (strcmp(side_log(side), want) != 0)
		fail_msg("heard: %s\nbut not: %s", side_log(side), want);
}

/* Events */

static struct side *
heard(struct wk_stream *s)
{
	struct side *side = wk_stream_arg(s);

	assert_ptr_equal(side->s, s);
	assert_false(side->is_closed);
	if (side->end->in_verb > 0)
		fail_msg("an event inside a verb");
	return side;
}

/* Write what there is to write, as far as it goes. */
static void
pump(struct side *side)
{
	struct side *from = side->echo;
	ssize_t n;

	if (side->s == NULL || side->is_closed)
		return;
	while (side->send_at < side->send_len) {
		n = side_write(side, side->send + side->send_at,
		    side->send_len - side->send_at);
		if (n <= 0)
			return;
		side->send_at += (size_t)n;
	}
	if (side->finishes) {
		side->finishes = false;
		side_finish(side);
	}
	/* What is echoed is consumed as it is taken. */
	while (from != NULL && from->n_unconsumed > 0) {
		n = side_write(side, from->data.data + from->data.len -
		    from->n_unconsumed, (size_t)from->n_unconsumed);
		if (n <= 0)
			return;
		side_consume(from, (size_t)n);
	}
	if (from != NULL && from->has_ended) {
		side->echo = NULL;
		side_finish(side);
	}
}

static void
on_informational(struct wk_stream *s, const struct wk_message *m)
{
	struct side *side = heard(s);

	assert_int_equal(side->status, 0);
	note(side, "inform %u", m->status);
	note_fields(side, m);
}

static void
on_head(struct wk_stream *s, const struct wk_message *m)
{
	struct side *side = heard(s);

	assert_int_equal(side->status, 0);
	side->status = m->status;
	side->is_open = m->opens_tunnel;
	/* 101 and 200 open tunnels in their versions. */
	if (m->opens_tunnel)
		note(side, "open");
	else
		note(side, "head %u", m->status);
	note_fields(side, m);
	if (m->opens_tunnel && side->uses_capsules)
		assert_int_equal(wk_stream_use_capsules(s, 1500), WK_OK);
	if (side->on_head != NULL)
		side->on_head(side, m);
	pump(side);
}

static void
on_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct side *side = heard(s);

	assert_true(len > 0);
	assert_false(side->has_ended);
	side->n_data += len;
	side->n_unconsumed += len;
	assert_true(side->n_unconsumed <= side->end->link->options.limits[
	    side->end == &side->end->link->server].window);
	wk_buf_append(&side->data, data, len);
	assert_int_equal(side->data.status, WK_OK);
	if (side->on_data != NULL)
		side->on_data(side, data, len);
	if (side->echo != NULL)
		pump(side->echo == side ? side : side->echo);
	else if (!side->keeps)
		side_consume(side, len);
}

static void
on_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct side *side = heard(s);

	assert_false(side->has_ended);
	if (len <= SHOWN_MAX)
		note(side, "datagram \"%.*s\"", (int)len, (const char *)data);
	else
		note(side, "datagram of %zu", len);
}

static void
on_capsule(struct wk_stream *s, enum wk_capsule_event event,
    const struct wk_capsule *capsule)
{
	struct side *side = heard(s);

	assert_false(side->has_ended);
	if (event == WK_CAPSULE_START)
		note(side, "capsule %" PRIx64, capsule->type);
	else if (event == WK_CAPSULE_DATA)
		wk_buf_append(&side->data, capsule->data, capsule->data_len);
	else
		log_data(side);
}

static void
on_end(struct wk_stream *s)
{
	struct side *side = heard(s);

	assert_false(side->has_ended);
	side->has_ended = true;
	note(side, "end");
	if (side->echo != NULL)
		pump(side->echo);
}

static void
on_writable(struct wk_stream *s)
{
	pump(heard(s));
}

static void
on_closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	static const char *const codes[] = { "no error", "cancel", "malformed",
		"datagram", "connect", "refused", "overload", "internal",
		"unsupported", "lost", "other" };
	struct side *side = heard(s);

	if (end == NULL) {
		note(side, "closed");
	} else {
		assert_non_null(end->reason);
		side->has_failed = true;
		side->code = end->code;
		note(side, "%s %s", end->is_ours ? "gave up:" : "broken:",
		    codes[end->code]);
	}
	/* Verbs do nothing any more, but may be called. */
	assert_int_equal(side_write(side, "x", 1), WK_E_INVALID);
	assert_int_equal(side_finish(side), WK_E_INVALID);
	side_consume(side, 1);
	side_reset(side, WK_STREAM_CANCEL, "too late");
	side->is_closed = true;
	if (side->on_closed != NULL)
		side->on_closed(side);
	side->s = NULL;
}

static const struct wk_stream_handler stream_handler = {
	.informational = on_informational,
	.head = on_head,
	.data = on_data,
	.datagram = on_datagram,
	.capsule = on_capsule,
	.end = on_end,
	.writable = on_writable,
	.closed = on_closed,
};

static struct side *
side_new(struct link_end *end)
{
	struct side *side = &end->sides[end->n_sides++];

	assert_true(end->n_sides <= LINK_SIDES);
	side->end = end;
	wk_buf_init(&side->log, LOG_MAX);
	wk_buf_init(&side->data, 64 << 20);
	return side;
}

static void
on_request(struct wk_session *session, struct wk_stream *s,
    const struct wk_message *m)
{
	struct link_end *end = wk_session_arg(session);
	struct side *side = side_new(end);

	assert_int_equal(end->in_verb, 0);
	assert_int_equal(wk_stream_version(s), link_version);
	assert_ptr_equal(wk_stream_session(s), session);
	side->s = s;
	wk_stream_handle(s, &stream_handler, side);
	note(side, "%.*s %.*s%s%.*s", (int)m->method.len, m->method.at,
	    (int)m->authority.len, m->authority.at, m->path.len > 0 ? " " : "",
	    (int)m->path.len, m->path.at);
	if (m->protocol.len > 0)
		wk_buf_printf(&side->log, " for %.*s", (int)m->protocol.len,
		    m->protocol.at);
	note_fields(side, m);
	end->link->options.request(side, m);
}

static void
on_draining(struct wk_session *session)
{
	struct link_end *end = wk_session_arg(session);

	assert_int_equal(end->in_verb, 0);
	end->n_draining++;
}

static const struct wk_session_handler session_handler = {
	.request = on_request,
	.draining = on_draining,
};

/* Verbs */

int
side_respond(struct side *side, unsigned status, const char *fields,
    bool is_last)
{
	const struct wk_message head = {
		.status = (uint16_t)status,
		.protocol = wk_str_of(status == 426 ? "connect-udp" : ""),
	};
	struct wk_error error = { .status = WK_OK };
	int rc;

	if (side->s == NULL)
		return WK_E_INVALID;
	side->end->in_verb++;
	rc = wk_stream_respond(side->s, link_message(&head, fields), is_last,
	    &error);
	side->end->in_verb--;
	if (rc == WK_OK && side->uses_capsules)
		assert_int_equal(wk_stream_use_capsules(side->s, 1500), WK_OK);
	assert_int_equal(rc, error.status);
	return rc;
}

int
side_inform(struct side *side, unsigned status, const char *fields)
{
	const struct wk_message head = { .status = (uint16_t)status };
	int rc;

	side->end->in_verb++;
	rc = wk_stream_respond_informational(side->s,
	    link_message(&head, fields), NULL);
	side->end->in_verb--;
	return rc;
}

void
side_send(struct side *side, const char *data, size_t len, bool finishes)
{
	side->send = data;
	side->send_len = len;
	side->send_at = 0;
	side->finishes = finishes;
	pump(side);
}

ssize_t
side_write(struct side *side, const void *data, size_t len)
{
	size_t room = wk_stream_room(side->s);
	ssize_t n;

	side->end->in_verb++;
	n = wk_stream_write(side->s, data, len);
	side->end->in_verb--;
	assert_true(n < 0 || (size_t)n == (len < room ? len : room));
	return n;
}

int
side_finish(struct side *side)
{
	int rc;

	side->end->in_verb++;
	rc = wk_stream_finish(side->s);
	side->end->in_verb--;
	return rc;
}

void
side_consume(struct side *side, size_t octets)
{
	side->n_unconsumed -= octets < side->n_unconsumed ? octets :
	    side->n_unconsumed;
	side->end->in_verb++;
	wk_stream_consume(side->s, octets);
	side->end->in_verb--;
}

void
side_reset(struct side *side, enum wk_stream_code code, const char *reason)
{
	char copy[64];

	/* The reason need not outlive the call. */
	snprintf(copy, sizeof(copy), "%s", reason);
	side->end->in_verb++;
	wk_stream_reset(side->s, code, copy);
	side->end->in_verb--;
	memset(copy, 'x', sizeof(copy));
}

enum wk_stream_sent
side_datagram(struct side *side, const void *data, size_t len)
{
	enum wk_stream_sent sent;

	side->end->in_verb++;
	sent = wk_stream_send_datagram(side->s, data, len);
	side->end->in_verb--;
	return sent;
}

enum wk_stream_sent
side_capsule(struct side *side, uint64_t type, const void *value, size_t len)
{
	const struct wk_capsule capsule = { .type = type, .length = len };
	enum wk_stream_sent sent;

	side->end->in_verb++;
	sent = wk_stream_send_capsule(side->s, &capsule, value);
	side->end->in_verb--;
	return sent;
}

/* The link */

void
link_options_default(struct link_options *options,
    void (*request)(struct side *side, const struct wk_message *m))
{
	memset(options, 0, sizeof(*options));
	wk_session_limits_default(&options->limits[0]);
	wk_session_limits_default(&options->limits[1]);
	/* What they have in common: capsules. */
	options->limits[0].has_no_datagrams = true;
	options->limits[1].has_no_datagrams = true;
	options->request = request;
}

/* A header for each write, more than tests have writes. */
#define FRAME_HEADERS 4096

static void
quic_init(struct link_end *end, const struct wk_session_limits *limits,
    bool is_server)
{
	struct fake *f = &end->quic;

	fake_init(f, is_server);
	f->stream_window = limits->window;
	f->max_queued = limits->max_queued + FRAME_HEADERS;
	f->datagram_max = 1600;
	f->datagram_room = limits->max_queued;
	f->shuffle = (unsigned)end->link->options.piece;
}

static void
end_init(struct link_end *end, struct link *l, bool is_server)
{
	const struct wk_session_limits *limits = &l->options.limits[is_server];

	end->link = l;
	wk_buf_init(&end->in.octets, 64 << 20);
	if (l->options.is_raw[is_server])
		return;
	if (link_new_over != NULL) {
		end->session = link_new_over(is_server, limits,
		    &session_handler, end, &end->quic.base, l->now_ns);
	} else {
		end->session = link_new_session(is_server, limits,
		    &session_handler, end, l->now_ns);
	}
	assert_non_null(end->session);
	assert_int_equal(wk_session_version(end->session), link_version);
	assert_int_equal(wk_session_is_server(end->session), is_server);
	assert_ptr_equal(wk_session_arg(end->session), end);
}

struct link *
link_new(const struct link_options *options)
{
	struct link *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->options = *options;
	l->now_ns = 1000 * LINK_SEC;
	l->client.link = l->server.link = l;
	quic_init(&l->client, &options->limits[0], false);
	quic_init(&l->server, &options->limits[1], true);
	fake_join(&l->client.quic, &l->server.quic);
	end_init(&l->client, l, false);
	end_init(&l->server, l, true);
	return l;
}

static void
end_free(struct link_end *end)
{
	size_t i;

	wk_session_del(end->session);
	for (i = 0; i < end->n_sides; i++) {
		/* Whatever happened, closed came. */
		assert_true(end->sides[i].is_closed);
		wk_buf_free(&end->sides[i].log);
		wk_buf_free(&end->sides[i].data);
	}
	fake_free(&end->quic);
	wk_buf_free(&end->in.octets);
}

void
link_del(struct link *l)
{
	end_free(&l->client);
	end_free(&l->server);
	free(l);
}

static struct link_end *
other(struct link_end *end)
{
	return end == &end->link->client ? &end->link->server :
	    &end->link->client;
}

static size_t
piece(const struct link *l, size_t len)
{
	return l->options.piece > 0 && l->options.piece < len ?
	    l->options.piece : len;
}

static void
pipe_end(struct link_pipe *pipe, bool is_clean)
{
	if (pipe->has_end)
		return;
	pipe->has_end = true;
	pipe->is_clean = is_clean;
}

/* Output of an end, on its way to the other; whether there was any. */
static bool
take_output(struct link_end *end)
{
	struct link_pipe *pipe = &other(end)->in;
	const uint8_t *data;
	size_t n;

	if (end->is_mute || end->fate == WK_SESSION_ABORT)
		return false;
	n = wk_session_output(end->session, &data);
	if (n == 0)
		return false;
	assert_false(end->has_closed);
	n = piece(end->link, n);
	if (pipe->octets.len - pipe->at == pipe->n_arrived)
		pipe->arrival_ns = end->link->now_ns +
		    end->link->options.delay_ns;
	if (!pipe->has_end)
		wk_buf_append(&pipe->octets, data, n);
	assert_int_equal(pipe->octets.status, WK_OK);
	wk_session_sent(end->session, n, end->link->now_ns);
	return true;
}

/* What the connection underneath does; whether something changed. */
static bool
obey_fate(struct link_end *end)
{
	enum wk_session_fate fate = wk_session_fate(end->session);
	bool has_changed = fate != end->fate;

	assert_true(fate >= end->fate);
	end->fate = fate;
	if (fate == WK_SESSION_OPEN || (has_changed && fate !=
	    WK_SESSION_ABORT))
		return has_changed;	/* output comes first */
	if (!end->has_closed) {
		end->has_closed = true;
		pipe_end(&other(end)->in, fate != WK_SESSION_ABORT);
		has_changed = true;
	}
	if (fate >= WK_SESSION_CLOSE && !end->has_stopped) {
		end->has_stopped = true;
		has_changed = true;
	}
	return has_changed;
}

/* Octets and their end that have arrived at an end; whether any. */
static bool
give_input(struct link_end *end)
{
	struct link_pipe *pipe = &end->in;
	uint64_t now_ns = end->link->now_ns;
	struct wk_error error;
	size_t n = pipe->n_arrived;
	uint8_t *copy;
	int rc;

	if (end->is_deaf || end->has_stopped)
		return false;
	if (pipe->octets.len > pipe->at + n && now_ns >= pipe->arrival_ns)
		n = pipe->n_arrived = pipe->octets.len - pipe->at;
	if (n == 0) {
		if (!pipe->has_end || pipe->octets.len > pipe->at)
			return false;
		pipe->has_end = false;
		end->is_deaf = true;
		wk_session_receive_end(end->session, pipe->is_clean, now_ns);
		return true;
	}
	if (!wk_session_wants_input(end->session))
		return false;
	n = piece(end->link, n);
	copy = malloc(n);	/* of just this size, for the sanitizers */
	assert_non_null(copy);
	memcpy(copy, pipe->octets.data + pipe->at, n);
	rc = wk_session_receive(end->session, copy, n, now_ns, &error);
	free(copy);
	pipe->at += n;
	pipe->n_arrived -= n;
	pipe->n_passed += n;
	if (pipe->at == pipe->octets.len) {
		wk_buf_clear(&pipe->octets);
		pipe->at = 0;
	}
	if (rc != WK_OK) {
		assert_int_equal(rc, error.status);
		assert_int_not_equal(wk_session_fate(end->session),
		    WK_SESSION_OPEN);
		end->status = rc;
		end->error = error;
	}
	return true;
}

static bool
tell_time(struct link_end *end)
{
	if (wk_session_deadline_ns(end->session) > end->link->now_ns)
		return false;
	wk_session_expire(end->session, end->link->now_ns);
	assert_true(wk_session_deadline_ns(end->session) >
	    end->link->now_ns);
	return true;
}

/* The same over a transport. */
static bool
quic_step(struct link_end *end)
{
	const struct link *l = end->link;
	bool has_moved = tell_time(end);

	if (wk_session_fate(end->session) >= WK_SESSION_CLOSE &&
	    !end->has_closed) {
		end->has_closed = has_moved = true;
		end->quic.base.ops->close(&end->quic.base, 0x100, "");
	}
	if (!end->is_mute)
		has_moved |= fake_send(&end->quic, l->options.piece, l->now_ns,
		    l->options.delay_ns);
	if (!end->is_deaf)
		has_moved |= fake_receive(&end->quic, l->now_ns);
	end->fate = wk_session_fate(end->session);
	return has_moved;
}

static bool
end_step(struct link_end *end)
{
	bool has_moved;

	if (end->session == NULL)
		return false;
	if (link_new_over != NULL)
		return quic_step(end);
	has_moved = tell_time(end);
	has_moved |= take_output(end);
	if (!has_moved)
		has_moved |= obey_fate(end);
	return give_input(end) || has_moved;
}

static void
run_now(struct link *l)
{
	unsigned n = 0;
	bool has_moved;

	do {
		has_moved = end_step(&l->client);
		has_moved |= end_step(&l->server);
		if (++n > 10000000)
			fail_msg("the link never comes to rest");
	} while (has_moved);
}

/* When octets arrive that have not yet. */
static uint64_t
arrival_ns(const struct link_end *end)
{
	const struct link_pipe *pipe = &end->in;

	if (link_new_over != NULL)
		return end->is_deaf ? WK_NEVER :
		    fake_arrival_ns(&end->quic, end->link->now_ns);
	return pipe->octets.len - pipe->at > pipe->n_arrived &&
	    end->session != NULL && !end->is_deaf && !end->has_stopped ? pipe->arrival_ns : WK_NEVER;
}

static uint64_t
deadline_ns(const struct link_end *end)
{
	return end->session == NULL ? WK_NEVER :
	    wk_session_deadline_ns(end->session);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void
link_run(struct link *l)
{
	uint64_t next;

	for (;;) {
		run_now(l);
		next = earlier(arrival_ns(&l->client), arrival_ns(&l->server));
		if (next == WK_NEVER || next <= l->now_ns)
			return;
		l->now_ns = next;
	}
}

void
link_pass(struct link *l, uint64_t ns)
{
	uint64_t until = l->now_ns + ns, next;

	for (;;) {
		link_run(l);
		next = earlier(deadline_ns(&l->client),
		    deadline_ns(&l->server));
		if (l->now_ns >= until || next > until)
			break;
		l->now_ns = next > l->now_ns ? next : l->now_ns;
	}
	if (l->now_ns < until)
		l->now_ns = until;
	link_run(l);
}

static void
cut_pipe(struct link_pipe *pipe)
{
	wk_buf_clear(&pipe->octets);
	pipe->at = pipe->n_arrived = 0;
	pipe->has_end = true;
	pipe->is_clean = false;
}

uint64_t
link_passed(const struct link *l)
{
	return l->client.in.n_passed + l->server.in.n_passed +
	    l->client.quic.n_passed + l->server.quic.n_passed;
}

void
link_cut(struct link *l)
{
	if (link_new_over != NULL) {
		fake_cut(&l->client.quic, l->now_ns);
		fake_cut(&l->server.quic, l->now_ns);
		link_run(l);
		return;
	}
	if (!l->client.is_deaf)
		cut_pipe(&l->client.in);
	if (!l->server.is_deaf)
		cut_pipe(&l->server.in);
	link_run(l);
}

static struct link_end *
raw_end(struct link *l)
{
	return l->client.session == NULL ? &l->client : &l->server;
}

void
link_feed(struct link *l, const void *data, size_t len)
{
	struct link_pipe *pipe = &other(raw_end(l))->in;

	wk_buf_append(&pipe->octets, data, len);
	pipe->arrival_ns = l->now_ns + l->options.delay_ns;
}

void
link_feed_end(struct link *l, bool is_clean)
{
	pipe_end(&other(raw_end(l))->in, is_clean);
}

const char *
link_heard(struct link *l, size_t *len)
{
	struct link_pipe *pipe = &raw_end(l)->in;

	wk_buf_append(&pipe->octets, "", 1);
	assert_int_equal(pipe->octets.status, WK_OK);
	*len = --pipe->octets.len;
	return (const char *)pipe->octets.data;
}

struct side *
link_request(struct link *l, const struct wk_message *m, bool has_body)
{
	struct side *side = side_new(&l->client);
	struct wk_error error;

	l->client.in_verb++;
	side->s = wk_session_request(l->client.session, m, has_body,
	    &stream_handler, side, &error);
	l->client.in_verb--;
	if (side->s == NULL)
		fail_msg("the request was refused: %s", error.reason);
	return side;
}
