/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/udp_proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/net/udp_proxy_parts.h"
#include "common/wire/datagram.h"

#define DEFAULT_PATH "/.well-known/masque/udp/{target_host}/{target_port}/"
#define PACKETS_PER_ROUND 64	/* one tunnel must not keep the loop */
#define GOODBYE_NS (5 * WK_NS_PER_SEC)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

struct wk_udp_proxy {
	struct wk_loop *loop;
	struct wk_udp_proxy_options options;
	char *path;
	struct wk_uritemplate template;
	struct wk_udp_proxy_counters counters;
	struct tunnel *tunnels;
	size_t n_tunnels;	/* being opened, too */
	/* A context id of one octet and the largest packet there can be. */
	uint8_t packet[1 + 65536];
};

struct tunnel {
	struct wk_udp_proxy *proxy;
	struct wk_stream *stream;
	struct wk_resolve *resolve;	/* until the name is known */
	struct wk_io io;
	struct wk_timer timer;		/* of the resolver, then of idleness */
	bool is_open;			/* io has a socket */
	bool was_counted, is_leaving;
	bool has_ended;			/* the client, perhaps before it opened */
	char host[UDP_PROXY_HOST_MAX];
	struct tunnel *prev, *next;
};

/* Why a request is refused, in both languages. */
struct refusal {
	unsigned status;
	const char *error;	/* RFC 9209, section 2.3; NULL: no Proxy-Status */
};

static const struct refusal
    bad_target = { 400, "http_request_error" },
    not_here = { 404, NULL },
    wrong_method = { 405, NULL },
    upgrade_first = { 426, NULL },
    no_such_protocol = { 501, NULL },
    name_denied = { 403, "http_request_denied" },
    address_denied = { 502, "destination_ip_prohibited" },
    unroutable = { 502, "destination_ip_unroutable" },
    dns_failed = { 502, "dns_error" },
    dns_silent = { 504, "dns_timeout" },
    too_many = { 503, "connection_limit_reached" },
    internal = { 500, "proxy_internal_error" };

static void __attribute__((format(printf, 3, 4)))
note(struct wk_udp_proxy *p, const struct wk_stream *s, const char *format, ...)
{
	char text[512];
	va_list ap;

	if (p->options.note == NULL)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	p->options.note(p->options.arg, s, text);
}

/* --- answers ------------------------------------------------------------- */

/* detail: more parameters of Proxy-Status, "; rcode=..." or "". */
static void
refuse(struct wk_udp_proxy *p, struct wk_stream *s, const struct refusal *why,
    const char *detail, const struct wk_field *extra)
{
	struct wk_message m = { .status = (uint16_t)why->status };
	struct wk_field fields[2];
	char status[256];

	p->counters.refused++;
	m.fields = fields;
	if (why->error != NULL) {
		snprintf(status, sizeof(status), "%s; error=%s%s",
		    p->options.name, why->error, detail);
		fields[m.n_fields++] = wk_field_of("proxy-status", status);
	}
	if (extra != NULL)
		fields[m.n_fields++] = *extra;
	if (why == &upgrade_first)
		m.protocol = wk_str_of("connect-udp");
	note(p, s, "refused: %u%s%s%s", why->status,
	    why->error != NULL ? " " : "", why->error != NULL ? why->error : "",
	    detail);
	if (wk_stream_respond(s, &m, true, NULL) != WK_OK)
		wk_stream_reset(s, WK_STREAM_INTERNAL, "cannot answer");
}

static void
challenge(struct wk_udp_proxy *p, struct wk_stream *s, bool is_proxy_field)
{
	struct refusal why = { 0, NULL };
	char text[WK_ACCESS_CHALLENGE_MAX];
	struct wk_field extra;

	why.status = wk_access_auth_challenge(p->options.name, is_proxy_field,
	    text, &extra);
	refuse(p, s, &why, "", &extra);
}

/* --- packets ------------------------------------------------------------- */

static void
stay_until(struct tunnel *t)
{
	uint64_t idle_ns = t->proxy->options.idle_timeout_ns;

	if (idle_ns > 0 && !t->is_leaving)
		wk_timer_set(&t->timer, wk_loop_now_ns(t->proxy->loop) +
		    idle_ns);
}

/* The socket goes at once; the stream stays until both ends have finished. */
static void
leave(struct tunnel *t)
{
	t->is_leaving = true;
	wk_io_watch(&t->io, 0);
	wk_timer_set(&t->timer, wk_loop_now_ns(t->proxy->loop) + GOODBYE_NS);
	wk_stream_finish(t->stream);
}

static void
socket_failed(struct tunnel *t, int error_number)
{
	note(t->proxy, t->stream, "target: %s", strerror(error_number));
	t->proxy->counters.failed++;
	t->is_leaving = true;
	wk_io_watch(&t->io, 0);
	wk_stream_reset(t->stream, WK_STREAM_CONNECT, strerror(error_number));
}

/* What the network says about one packet and not about the socket. */
static bool
is_passing(int error_number)
{
	return error_number == EAGAIN || error_number == EINTR ||
	    error_number == ENOBUFS || error_number == ENOMEM;
}

/* "Too big" may be a router's word about a packet of before: ask again. */
static ssize_t
send_packet(int fd, const void *packet, size_t len)
{
	ssize_t n = send(fd, packet, len, MSG_NOSIGNAL);

	if (n < 0 && errno == EMSGSIZE)
		n = send(fd, packet, len, MSG_NOSIGNAL);
	return n;
}

static void
to_target(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct tunnel *t = wk_stream_arg(s);
	struct wk_udp_proxy_counters *counters = &t->proxy->counters;
	struct wk_datagram d;
	struct wk_error error;
	int rc;

	if (t->is_leaving || !t->is_open)
		return;
	rc = wk_datagram_decode(data, len, WK_DATAGRAM_UDP_MAX, &d, &error);
	if (rc != WK_OK) {
		/* A frame of a QUIC packet may be dropped, a capsule not. */
		if (rc == WK_E_TRUNCATED && wk_stream_version(s) == WK_HTTP_3)
			return;
		wk_stream_reset(s, WK_STREAM_DATAGRAM, error.reason);
		return;
	}
	stay_until(t);
	if (d.context_id != WK_DATAGRAM_CONTEXT_RAW) {
		counters->dropped_context++;
		return;
	}
	if (send_packet(t->io.fd, d.payload, d.payload_len) >= 0)
		counters->to_target++;
	else if (errno == EMSGSIZE)
		counters->dropped_too_big++;
	else if (is_passing(errno))
		counters->dropped_blocked++;
	else
		socket_failed(t, errno);
}

static void
from_target(struct tunnel *t, const uint8_t *packet, size_t len)
{
	struct wk_udp_proxy_counters *counters = &t->proxy->counters;

	switch (wk_stream_send_datagram(t->stream, packet, len)) {
	case WK_STREAM_SENT:
		counters->from_target++;
		break;
	case WK_STREAM_BLOCKED:
		counters->dropped_blocked++;
		break;
	case WK_STREAM_TOO_BIG:
		counters->dropped_too_big++;
		break;
	case WK_STREAM_CLOSED:
		break;
	}
}

static void
readable(struct wk_io *io, unsigned events)
{
	struct tunnel *t = io->arg;
	struct wk_udp_proxy *p = t->proxy;
	ssize_t n;
	int i;

	(void)events;
	p->packet[0] = WK_DATAGRAM_CONTEXT_RAW;
	for (i = 0; i < PACKETS_PER_ROUND && !t->is_leaving; i++) {
		n = recv(io->fd, p->packet + 1, sizeof(p->packet) - 1,
		    MSG_DONTWAIT);
		if (n >= 0) {
			from_target(t, p->packet, (size_t)n + 1);
			stay_until(t);
		} else if (errno == EMSGSIZE) {
			/* A router dropped one of ours (RFC 1191). */
			p->counters.dropped_too_big++;
		} else {
			if (!is_passing(errno))
				socket_failed(t, errno);
			return;
		}
	}
}

/* --- opening ------------------------------------------------------------- */

static bool
answer_open(struct tunnel *t, const struct wk_address *target)
{
	char status[128], text[WK_ADDRESS_TEXT_MAX];
	struct wk_field fields[2];
	const struct wk_message m = {
		.status = 200, .fields = fields, .n_fields = ARRAY_LEN(fields),
	};

	snprintf(status, sizeof(status), "%s; next-hop=\"%s\"",
	    t->proxy->options.name, wk_address_host_text(target, text));
	fields[0] = wk_field_of("capsule-protocol", "?1");
	fields[1] = wk_field_of("proxy-status", status);
	return wk_stream_respond(t->stream, &m, false, NULL) == WK_OK;
}

/* Success means that the socket is there, not that anybody answers. */
static void
open_tunnel(struct tunnel *t, const struct wk_address *target)
{
	char text[WK_ADDRESS_TEXT_MAX];
	int fd = wk_sock_udp_connect(target);

	if (fd < 0) {
		refuse(t->proxy, t->stream, wk_sock_is_exhausted(errno) ?
		    &too_many : errno == ENETUNREACH || errno == EHOSTUNREACH ||
		    errno == EADDRNOTAVAIL || errno == EACCES ? &unroutable :
		    &internal, "", NULL);
		return;
	}
	wk_io_init(&t->io, t->proxy->loop, fd, readable, t);
	t->is_open = true;
	if (!answer_open(t, target)) {
		wk_stream_reset(t->stream, WK_STREAM_INTERNAL, "cannot answer");
		return;
	}
	t->proxy->counters.opened++;
	t->proxy->counters.open++;
	t->was_counted = true;
	note(t->proxy, t->stream, "opened to %s", wk_address_text(target, text));
	wk_io_watch(&t->io, WK_IO_READ);
	stay_until(t);
	if (t->has_ended)
		leave(t);
}

static void
resolved(void *arg, const struct wk_resolve_result *result)
{
	struct tunnel *t = arg;
	struct wk_udp_proxy *p = t->proxy;
	struct wk_error error = { 0 };
	struct wk_str host = wk_str_of(t->host);
	char detail[WK_ERROR_REASON_MAX + 32];
	size_t i;

	t->resolve = NULL;
	wk_timer_set(&t->timer, WK_NEVER);
	if (result->status != WK_OK || result->n_addresses == 0) {
		refuse(p, t->stream, &dns_failed,
		    result->is_final ? "; rcode=\"NXDOMAIN\"" : "", NULL);
		return;
	}
	for (i = 0; i < result->n_addresses; i++)
		if (p->options.targets == NULL || wk_access_targets_address(
		    p->options.targets, host, &result->addresses[i],
		    &error) == WK_OK) {
			open_tunnel(t, &result->addresses[i]);
			return;
		}
	snprintf(detail, sizeof(detail), "; details=\"%s\"", error.reason);
	refuse(p, t->stream, &address_denied, detail, NULL);
}

static void
timed_out(struct wk_timer *timer)
{
	struct tunnel *t = timer->arg;

	if (t->resolve != NULL) {
		wk_resolve_cancel(t->resolve);
		t->resolve = NULL;
		refuse(t->proxy, t->stream, &dns_silent, "", NULL);
	} else if (t->is_leaving) {
		wk_stream_reset(t->stream, WK_STREAM_NO_ERROR,
		    "the client does not finish");
	} else {
		note(t->proxy, t->stream, "idle");
		leave(t);
	}
}

static void
client_ended(struct wk_stream *s)
{
	struct tunnel *t = wk_stream_arg(s);

	t->has_ended = true;
	if (t->is_open && !t->is_leaving)
		leave(t);
}

/* Everything but the stream, which the session ends. */
static void
tunnel_del(struct tunnel *t)
{
	struct wk_udp_proxy *p = t->proxy;

	if (t->resolve != NULL)
		wk_resolve_cancel(t->resolve);
	wk_timer_set(&t->timer, WK_NEVER);
	if (t->is_open) {
		wk_io_watch(&t->io, 0);
		close(t->io.fd);
	}
	p->counters.open -= t->was_counted;
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		p->tunnels = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	p->n_tunnels--;
	free(t);
}

static void
closed(struct wk_stream *s, const struct wk_stream_end *end)
{
	struct tunnel *t = wk_stream_arg(s);
	struct wk_udp_proxy *p = t->proxy;
	bool was_open = t->was_counted;

	if (was_open)
		note(p, s, "closed%s%s", end != NULL ? ": " : "",
		    end != NULL ? end->reason : "");
	tunnel_del(t);
	if (was_open && p->options.closed != NULL)
		p->options.closed(p->options.arg);
}

static const struct wk_stream_handler tunnel_handler = {
	.datagram = to_target,
	.end = client_ended,
	.closed = closed,
};

static void
start_tunnel(struct wk_udp_proxy *p, struct wk_stream *s, const char *host,
    uint16_t port)
{
	struct tunnel *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		refuse(p, s, &internal, "", NULL);
		return;
	}
	t->proxy = p;
	t->stream = s;
	snprintf(t->host, sizeof(t->host), "%s", host);
	wk_timer_init(&t->timer, p->loop, timed_out, t);
	t->next = p->tunnels;
	if (t->next != NULL)
		t->next->prev = t;
	p->tunnels = t;
	p->n_tunnels++;
	wk_stream_handle(s, &tunnel_handler, t);
	/* From the first octet: what comes too early is dropped by the capsule. */
	if (wk_stream_use_capsules(s, WK_DATAGRAM_UDP_VALUE_MAX) != WK_OK) {
		refuse(p, s, &internal, "", NULL);
		return;
	}
	t->resolve = wk_resolve_start(p->loop, t->host, port, AF_UNSPEC,
	    resolved, t);
	if (t->resolve == NULL)
		refuse(p, s, &internal, "", NULL);
	else if (p->options.resolve_timeout_ns > 0)
		wk_timer_set(&t->timer, wk_loop_now_ns(p->loop) +
		    p->options.resolve_timeout_ns);
}

/* --- requests ------------------------------------------------------------ */

/* NULL, or why a request that has the right path cannot be served. */
static const struct refusal *
check_request(struct wk_udp_proxy *p, const struct wk_message *m,
    const struct wk_uritemplate_var vars[2],
    char host[UDP_PROXY_HOST_MAX], uint16_t *port)
{
	if (!udp_proxy_target(vars, host, port) ||
	    wk_message_check_tunnel_fields(m, NULL) != WK_OK)
		return &bad_target;
	if (p->options.max_tunnels > 0 &&
	    p->n_tunnels >= p->options.max_tunnels)
		return &too_many;
	if (p->options.targets != NULL && !wk_access_targets_name(
	    p->options.targets, wk_str_of(host), *port))
		return &name_denied;
	return NULL;
}

/* A request that is no tunnel, on a path that is ours. */
static void
refuse_plain(struct wk_udp_proxy *p, struct wk_stream *s,
    const struct wk_message *m)
{
	bool is_http1 = wk_stream_version(s) == WK_HTTP_1_1;
	const struct wk_field allow = wk_field_of("allow", is_http1 ? "GET" :
	    "CONNECT");

	if (is_http1 && wk_str_is(m->method, "GET"))
		refuse(p, s, &upgrade_first, "", NULL);
	else
		refuse(p, s, &wrong_method, "", &allow);
}

void
wk_udp_proxy_request(struct wk_udp_proxy *p, struct wk_stream *s,
    const struct wk_message *m)
{
	struct wk_uritemplate_var vars[] = {
		{ .name = "target_host" }, { .name = "target_port" },
	};
	const struct refusal *why;
	char host[UDP_PROXY_HOST_MAX];
	bool is_proxy_field;
	uint16_t port;

	if (wk_message_is_tunnel_request(m) ?
	    !wk_str_is(m->protocol, "connect-udp") :
	    wk_str_is(m->method, "CONNECT")) {
		refuse(p, s, &no_such_protocol, "", NULL);
		return;
	}
	if (wk_uritemplate_match(&p->template, m->path, vars, ARRAY_LEN(vars),
	    NULL) != WK_OK) {
		refuse(p, s, &not_here, "", NULL);
		return;
	}
	if (!wk_message_is_tunnel_request(m)) {
		refuse_plain(p, s, m);
		return;
	}
	if (p->options.auth != NULL && !wk_access_auth_check(p->options.auth,
	    m, &is_proxy_field)) {
		challenge(p, s, is_proxy_field);
		return;
	}
	why = check_request(p, m, vars, host, &port);
	if (why != NULL)
		refuse(p, s, why, "", NULL);
	else
		start_tunnel(p, s, host, port);
}

/* ------------------------------------------------------------------------- */

struct wk_udp_proxy *
wk_udp_proxy_new(struct wk_loop *loop,
    const struct wk_udp_proxy_options *options, struct wk_error *error)
{
	static const char *const names[] = { "target_host", "target_port" };
	const char *path = options->path != NULL ? options->path : DEFAULT_PATH;
	struct wk_udp_proxy *p = calloc(1, sizeof(*p));
	size_t i;

	if (p == NULL || (p->path = strdup(path)) == NULL) {
		free(p);
		wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return NULL;
	}
	p->loop = loop;
	p->options = *options;
	if (wk_uritemplate_parse(&p->template, wk_str_of(p->path), error) !=
	    WK_OK || wk_uritemplate_check_match(&p->template, error) != WK_OK)
		goto fail;
	for (i = 0; i < ARRAY_LEN(names); i++)
		if (!wk_uritemplate_has(&p->template, names[i])) {
			wk_error_set(error, WK_E_INVALID, 0,
			    "the template lacks {%s}", names[i]);
			goto fail;
		}
	return p;
fail:
	free(p->path);
	free(p);
	return NULL;
}

void
wk_udp_proxy_counters(const struct wk_udp_proxy *p,
    struct wk_udp_proxy_counters *counters)
{
	*counters = p->counters;
}

void
wk_udp_proxy_del(struct wk_udp_proxy *p)
{
	struct tunnel *t, *next;
	struct wk_stream *s;

	if (p == NULL)
		return;
	for (t = p->tunnels; t != NULL; t = next) {
		next = t->next;
		s = t->stream;
		tunnel_del(t);
		wk_stream_handle(s, NULL, NULL);
		wk_stream_reset(s, WK_STREAM_CANCEL, "the proxy stops");
	}
	free(p->path);
	free(p);
}
