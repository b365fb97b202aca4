/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/server.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/net/conn.h"

/* Connections taken before those that are open have their turn. */
#define ACCEPT_ROUND 32

/* Ports of TCP to try where UDP's may be taken. */
#define PORT_TRIES 16

/* How soon to look whether there are descriptors again. */
#define EXHAUSTED_NS (WK_NS_PER_SEC / 10)

struct listener {
	struct wk_io io;
	struct wk_server *server;
	dev_t device;		/* of a unix path, to remove just that */
	ino_t inode;
	struct wk_conn_listener *quic;	/* at the same port, or NULL */
};

struct wk_server {
	const struct wk_server_handler *handler;
	void *arg;
	struct wk_conn_config config;
	struct wk_timer resume, deadline;
	struct wk_task drained;
	struct wk_conn *conns;
	struct wk_server_counters counters;	/* but for streams */
	size_t max_connections;
	uint64_t handshake_timeout_ns;
	bool is_draining, is_exhausted, is_deleting;
	struct wk_address *addresses;
	struct listener *listeners;
	size_t n_listeners;
};

static struct wk_server *
server_of(const struct wk_conn *conn)
{
	return conn->owner;
}

static const char *
peer_text(const struct wk_conn *conn, char text[WK_ADDRESS_TEXT_MAX])
{
	return wk_address_text(&conn->peer, text);
}

static void __attribute__((format(printf, 3, 4)))
note(struct wk_server *server, const char *peer, const char *format, ...)
{
	char text[WK_ERROR_REASON_MAX + 64];
	va_list ap;

	if (server->config.trace_level < 1 || server->handler->trace == NULL)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	server->handler->trace(server, peer, WK_TRACE_NOTE, 0, text);
}

/* --- listening ------------------------------------------------------------ */

/* Take connections only while there is room for them. */
static void
watch_listeners(struct wk_server *server)
{
	bool is_open = !server->is_draining && !server->is_exhausted &&
	    server->counters.connections < server->max_connections;
	size_t i;

	for (i = 0; i < server->n_listeners; i++)
		if (server->listeners[i].io.fd >= 0)
			wk_io_watch(&server->listeners[i].io,
			    is_open ? WK_IO_READ : 0);
}

static void
exhausted(struct wk_server *server, int error_number)
{
	note(server, "listener", "%s; waiting", strerror(error_number));
	server->is_exhausted = true;
	wk_timer_set(&server->resume, wk_loop_now_ns(server->config.loop) +
	    EXHAUSTED_NS);
	watch_listeners(server);
}

static void
resume(struct wk_timer *timer)
{
	struct wk_server *server = timer->arg;

	server->is_exhausted = false;
	watch_listeners(server);
}

static void
link_conn(struct wk_server *server, struct wk_conn *conn)
{
	conn->prev = NULL;
	conn->next = server->conns;
	if (conn->next != NULL)
		conn->next->prev = conn;
	server->conns = conn;
	server->counters.connections++;
}

static void
unlink_conn(struct wk_server *server, struct wk_conn *conn)
{
	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		server->conns = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	server->counters.connections--;
}

static void
take_connection(struct wk_server *server, int fd,
    const struct wk_address *peer)
{
	uint64_t now = wk_loop_now_ns(server->config.loop);
	const struct wk_conn_config *config = &server->config;
	uint64_t patience_ns = config->credentials != NULL ?
	    server->handshake_timeout_ns : config->limits.head_timeout_ns;
	char text[WK_ADDRESS_TEXT_MAX];
	struct wk_error error;
	struct wk_conn *conn;

	server->counters.accepted++;
	conn = wk_conn_new(&server->config, server, fd, peer,
	    patience_ns == 0 ? WK_NEVER : now + patience_ns, &error);
	if (conn == NULL) {
		server->counters.refused++;
		note(server, wk_address_text(peer, text), "%s", error.reason);
		close(fd);
		return;
	}
	link_conn(server, conn);
	note(server, peer_text(conn, text), "connected");
}

static void
on_listener(struct wk_io *io, unsigned events)
{
	struct wk_server *server = ((struct listener *)io->arg)->server;
	struct wk_address peer;
	int n, fd;

	(void)events;
	for (n = 0; n < ACCEPT_ROUND && server->counters.connections <
	    server->max_connections; n++) {
		fd = wk_sock_accept(io->fd, &peer);
		if (fd < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				exhausted(server, errno);
			return;
		}
		take_connection(server, fd, &peer);
	}
	watch_listeners(server);
}

static const char *
unix_path(const struct wk_address *address)
{
	const struct sockaddr_un *sun = (const void *)&address->sa;

	if (address->sa.ss_family != AF_UNIX ||
	    address->len <= offsetof(struct sockaddr_un, sun_path) ||
	    sun->sun_path[0] == '\0')
		return NULL;
	return sun->sun_path;
}

static int
open_tcp(struct wk_server *server, size_t i, struct wk_error *error)
{
	struct listener *l = &server->listeners[i];
	int fd = wk_sock_listen(&server->addresses[i], error);
	const char *path = unix_path(&server->addresses[i]);
	struct stat st;

	if (fd < 0)
		return fd;
	if (path != NULL && stat(path, &st) == 0) {
		l->device = st.st_dev;
		l->inode = st.st_ino;
	}
	wk_io_init(&l->io, server->config.loop, fd, on_listener, l);
	return WK_OK;
}

#ifdef HAVE_QUIC

static bool
take_quic(void *owner, struct wk_conn *conn)
{
	struct wk_server *server = owner;
	char text[WK_ADDRESS_TEXT_MAX];

	server->counters.accepted++;
	if (server->is_draining ||
	    server->counters.connections >= server->max_connections) {
		server->counters.refused++;
		return false;
	}
	link_conn(server, conn);
	note(server, peer_text(conn, text), "connected");
	return true;
}

static int
open_quic(struct wk_server *server, size_t i, struct wk_error *error)
{
	struct listener *l = &server->listeners[i];

	l->quic = wk_conn_quic_listen(&server->config, server, take_quic,
	    &server->addresses[i], error);
	return l->quic != NULL ? WK_OK : error->status;
}

static void
drain_quic(struct listener *l)
{
	if (l->quic != NULL)
		wk_conn_quic_drain(l->quic);
}

static void
close_quic(struct listener *l)
{
	wk_conn_listener_del(l->quic);
	l->quic = NULL;
}

#else

static int
open_quic(struct wk_server *server, size_t i, struct wk_error *error)
{
	(void)server;
	(void)i;
	return wk_error_set(error, WK_E_UNSUPPORTED, 0,
	    "built without HTTP/3");
}

static void
drain_quic(struct listener *l)
{
	(void)l;
}

static void
close_quic(struct listener *l)
{
	(void)l;
}

#endif

static void
close_listener(struct wk_server *server, size_t i)
{
	struct listener *l = &server->listeners[i];
	const char *path = unix_path(&server->addresses[i]);
	struct stat st;

	if (l->io.fd < 0)
		return;
	wk_io_watch(&l->io, 0);
	close(l->io.fd);
	l->io.fd = -1;
	/* Somebody else may listen at that path by now. */
	if (path != NULL && stat(path, &st) == 0 &&
	    st.st_dev == l->device && st.st_ino == l->inode)
		unlink(path);
}

/* One port for TCP and UDP; where the kernel chooses it, until both agree. */
static int
open_listener(struct wk_server *server, size_t i, struct wk_error *error)
{
	struct listener *l = &server->listeners[i];
	const struct wk_address wanted = server->addresses[i];
	bool is_unix = unix_path(&wanted) != NULL;
	bool by_quic = (server->config.versions & WK_HTTP_3) != 0 && !is_unix;
	bool by_tcp = (server->config.versions & ~(unsigned)WK_HTTP_3) != 0;
	int rc, tries = wk_address_port(&wanted) == 0 && !is_unix ?
	    PORT_TRIES : 1;

	l->server = server;
	l->io.fd = -1;
	server->n_listeners++;
	do {
		server->addresses[i] = wanted;
		rc = by_tcp ? open_tcp(server, i, error) : WK_OK;
		if (rc == WK_OK && by_quic)
			rc = open_quic(server, i, error);
		if (rc != WK_OK)
			close_listener(server, i);
	} while (rc != WK_OK && --tries > 0);
	return rc;
}

static void
close_listeners(struct wk_server *server)
{
	size_t i;

	for (i = 0; i < server->n_listeners; i++) {
		close_listener(server, i);
		drain_quic(&server->listeners[i]);
	}
}

/* --- what connections say ------------------------------------------------- */

static void
on_request(struct wk_conn *conn, struct wk_stream *s,
    const struct wk_message *m)
{
	struct wk_server *server = server_of(conn);

	server->counters.requests++;
	server->handler->request(server, s, m);
}

static void
on_closed(struct wk_conn *conn, bool is_protocol, const char *reason)
{
	struct wk_server *server = server_of(conn);
	char text[WK_ADDRESS_TEXT_MAX];

	(void)is_protocol;
	unlink_conn(server, conn);
	if (reason != NULL && conn->requests == 0)
		server->counters.refused++;
	if (server->is_draining) {
		if (server->conns == NULL)
			wk_task_schedule(&server->drained);
	} else if (server->is_exhausted) {
		wk_timer_set(&server->resume, 0);
	} else {
		watch_listeners(server);
	}
	note(server, peer_text(conn, text), "closed%s%s",
	    reason != NULL ? ": " : "", reason != NULL ? reason : "");
}

static void
on_trace(struct wk_conn *conn, enum wk_trace kind, uint64_t stream_id,
    const char *text)
{
	struct wk_server *server = server_of(conn);
	char peer[WK_ADDRESS_TEXT_MAX];

	server->handler->trace(server, peer_text(conn, peer), kind, stream_id,
	    text);
}

static const struct wk_conn_handler conn_handler = {
	.request = on_request,
	.closed = on_closed,
	.trace = on_trace,
};

static const struct wk_conn_handler quiet_conn_handler = {
	.request = on_request,
	.closed = on_closed,
};

/* --- the end -------------------------------------------------------------- */

static void
on_deadline(struct wk_timer *timer)
{
	struct wk_server *server = timer->arg;
	struct wk_conn *conn;

	for (conn = server->conns; conn != NULL; conn = conn->next)
		wk_conn_break(conn, "the server stops");
}

static void
on_drained(struct wk_task *task)
{
	struct wk_server *server = task->arg;

	wk_timer_set(&server->deadline, WK_NEVER);
	wk_timer_set(&server->resume, WK_NEVER);
	if (server->handler->drained != NULL)
		server->handler->drained(server);
}

void
wk_server_drain(struct wk_server *server, uint64_t deadline_ns)
{
	struct wk_conn *conn;

	wk_timer_set(&server->deadline, deadline_ns);
	if (server->is_draining)
		return;
	server->is_draining = true;
	close_listeners(server);
	for (conn = server->conns; conn != NULL; conn = conn->next)
		wk_conn_shutdown(conn);
	if (server->conns == NULL)
		wk_task_schedule(&server->drained);
}

void
wk_server_del(struct wk_server *server)
{
	struct wk_conn *conn;
	size_t i;

	/* Streams that hear of it may call us again. */
	if (server == NULL || server->is_deleting)
		return;
	server->is_deleting = server->is_draining = true;
	close_listeners(server);
	while ((conn = server->conns) != NULL) {
		unlink_conn(server, conn);
		wk_conn_del(conn);
	}
	for (i = 0; i < server->n_listeners; i++)
		close_quic(&server->listeners[i]);
	wk_task_cancel(&server->drained);
	wk_timer_set(&server->deadline, WK_NEVER);
	wk_timer_set(&server->resume, WK_NEVER);
	free(server->listeners);
	free(server->addresses);
	free(server);
}

/* --- the beginning -------------------------------------------------------- */

void
wk_server_options_default(struct wk_server_options *options)
{
	memset(options, 0, sizeof(*options));
	options->versions = WK_HTTP_1_1 | WK_HTTP_2;
	wk_session_limits_default(&options->limits);
	options->max_connections = 10000;
	options->handshake_timeout_ns = 10 * WK_NS_PER_SEC;
	options->stall_timeout_ns = 60 * WK_NS_PER_SEC;
}

static int
check(const struct wk_server_options *options, struct wk_error *error)
{
	if ((options->versions &
	    (WK_HTTP_1_1 | WK_HTTP_2 | WK_HTTP_3)) == 0)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "no version of HTTP to serve");
	if ((options->versions & WK_HTTP_3) != 0 &&
	    options->credentials == NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "HTTP/3 needs TLS credentials");
	if (options->n_addresses == 0)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "no address to listen at");
	if (options->max_connections == 0)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "a server without connections serves nobody");
	return WK_OK;
}

static int
listen_everywhere(struct wk_server *server,
    const struct wk_server_options *options, struct wk_error *error)
{
	size_t i, n = options->n_addresses;
	int rc = WK_OK;

	server->addresses = calloc(n, sizeof(*server->addresses));
	server->listeners = calloc(n, sizeof(*server->listeners));
	if (server->addresses == NULL || server->listeners == NULL)
		return wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
	memcpy(server->addresses, options->addresses,
	    n * sizeof(*server->addresses));
	for (i = 0; i < n && rc == WK_OK; i++)
		rc = open_listener(server, i, error);
	return rc;
}

struct wk_server *
wk_server_new(struct wk_loop *loop, const struct wk_server_options *options,
    const struct wk_server_handler *handler, void *arg, struct wk_error *error)
{
	struct wk_server *server;

	if (check(options, error) != WK_OK)
		return NULL;
	server = calloc(1, sizeof(*server));
	if (server == NULL) {
		(void)wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return NULL;
	}
	server->handler = handler;
	server->arg = arg;
	server->max_connections = options->max_connections;
	server->handshake_timeout_ns = options->handshake_timeout_ns;
	server->config.loop = loop;
	server->config.handler = handler->trace != NULL ? &conn_handler :
	    &quiet_conn_handler;
	server->config.is_server = true;
	server->config.versions = options->versions;
	server->config.credentials = options->credentials;
	server->config.limits = options->limits;
	server->config.stall_timeout_ns = options->stall_timeout_ns;
	server->config.trace_level = options->trace_level;
#ifdef HAVE_QUIC
	if (options->quic != NULL)
		server->config.quic = *options->quic;
	else
		wk_quic_options_default(&server->config.quic);
#endif
	wk_conn_config_init(&server->config);
	wk_timer_init(&server->resume, loop, resume, server);
	wk_timer_init(&server->deadline, loop, on_deadline, server);
	wk_task_init(&server->drained, loop, on_drained, server);
	if (listen_everywhere(server, options, error) != WK_OK) {
		wk_server_del(server);
		return NULL;
	}
	watch_listeners(server);
	return server;
}

/* --- questions ------------------------------------------------------------ */

void *
wk_server_arg(const struct wk_server *server)
{
	return server->arg;
}

const struct wk_address *
wk_server_addresses(const struct wk_server *server, size_t *n)
{
	*n = server->n_listeners;
	return server->addresses;
}

static const struct wk_conn *
conn_of(const struct wk_stream *s)
{
	return wk_session_arg(wk_stream_session(s));
}

const struct wk_address *
wk_server_peer(const struct wk_stream *s)
{
	return &conn_of(s)->peer;
}

struct wk_server *
wk_server_of(const struct wk_stream *s)
{
	return server_of(conn_of(s));
}

void
wk_server_counters(const struct wk_server *server,
    struct wk_server_counters *counters)
{
	const struct wk_conn *conn;

	*counters = server->counters;
	for (conn = server->conns; conn != NULL; conn = conn->next)
		if (conn->session != NULL)
			counters->streams += wk_session_streams(conn->session);
}
