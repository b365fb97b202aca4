/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/net/conn.h"
#include "common/net/proxy.h"
#include "common/net/proxy_tunnel.h"

#define BIND_MAX 2	/* one for each family */

struct wk_client {
	const struct wk_client_handler *handler;
	void *arg;
	struct wk_conn_config config;
	struct wk_dial_options dial;
	struct wk_address bind[BIND_MAX];
	char *name;		/* as in the URL */
	char *dial_host, *unix_path;
	struct wk_proxy proxy;
	/* At most one of these is there, in this order. */
	struct wk_dial *dialing;
	struct wk_proxy_tunnel *tunnel;
	struct wk_conn *conn;
	int fd;			/* the tunnel's */
	struct wk_address peer;
	struct wk_timer timer;	/* of all that comes before connected */
	struct wk_task task;	/* for news that a verb may not bring */
	uint64_t deadline_ns;
	bool is_over, is_deleting;
};

static void __attribute__((format(printf, 2, 3)))
note(struct wk_client *client, const char *format, ...)
{
	char text[WK_ERROR_REASON_MAX + WK_ADDRESS_TEXT_MAX];
	va_list ap;

	if (client->config.trace_level < 1 || client->handler->trace == NULL)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	client->handler->trace(client, WK_TRACE_NOTE, 0, text);
}

/* Whatever is under way, leave it. */
static void
stop(struct wk_client *client)
{
	wk_timer_set(&client->timer, WK_NEVER);
	wk_task_cancel(&client->task);
	if (client->dialing != NULL)
		wk_dial_cancel(client->dialing);
	client->dialing = NULL;
	if (client->tunnel != NULL) {
		wk_proxy_tunnel_cancel(client->tunnel);
		close(client->fd);
	}
	client->tunnel = NULL;
	wk_conn_del(client->conn);
	client->conn = NULL;
}

/* The last thing done here: the client may be deleted in closed. */
static void __attribute__((format(printf, 3, 4)))
fail(struct wk_client *client, enum wk_client_failure failure,
    const char *format, ...)
{
	char reason[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	stop(client);
	client->is_over = true;
	client->handler->closed(client, failure, reason);
}

/* --- the connection ------------------------------------------------------- */

static void
on_opened(struct wk_conn *conn)
{
	struct wk_client *client = conn->owner;

	wk_timer_set(&client->timer, WK_NEVER);
	client->handler->connected(client, conn->session);
}

/* Nothing that a server sends opens a stream in a client's session. */
static void
on_request(struct wk_conn *conn, struct wk_stream *s,
    const struct wk_message *m)
{
	(void)conn;
	(void)m;
	wk_stream_reset(s, WK_STREAM_REFUSED, "clients serve nothing");
}

static void
on_closed(struct wk_conn *conn, bool is_protocol, const char *reason)
{
	struct wk_client *client = conn->owner;

	client->conn = NULL;
	wk_timer_set(&client->timer, WK_NEVER);
	client->is_over = true;
	client->handler->closed(client, is_protocol ? WK_CLIENT_PROTOCOL :
	    WK_CLIENT_NETWORK, reason);
}

static void
on_trace(struct wk_conn *conn, enum wk_trace kind, uint64_t stream_id,
    const char *text)
{
	struct wk_client *client = conn->owner;

	client->handler->trace(client, kind, stream_id, text);
}

static const struct wk_conn_handler conn_handler = {
	.opened = on_opened,
	.request = on_request,
	.closed = on_closed,
	.trace = on_trace,
};

static const struct wk_conn_handler quiet_conn_handler = {
	.opened = on_opened,
	.request = on_request,
	.closed = on_closed,
};

/* The descriptor leads to the server. */
static void
begin(struct wk_client *client, int fd)
{
	struct wk_error error;

	client->conn = wk_conn_new(&client->config, client, fd, &client->peer,
	    client->deadline_ns, &error);
	if (client->conn != NULL)
		return;
	close(fd);
	fail(client, WK_CLIENT_NETWORK, "%s", error.reason);
}

/* --- the way there -------------------------------------------------------- */

static void
on_tunnel(void *arg, int status, const char *reason)
{
	struct wk_client *client = arg;

	client->tunnel = NULL;
	if (status == WK_OK) {
		note(client, "through the proxy to %s port %u",
		    client->dial_host, client->dial.port);
		begin(client, client->fd);
		return;
	}
	close(client->fd);
	fail(client, status == WK_E_REFUSED ? WK_CLIENT_REFUSED :
	    status == WK_E_MALFORMED ? WK_CLIENT_PROTOCOL : WK_CLIENT_NETWORK,
	    "proxy %s port %u: %s", client->proxy.host, client->proxy.port,
	    reason);
}

static bool
has_proxy(const struct wk_client *client)
{
	return client->proxy.kind != WK_PROXY_NONE;
}

static void
on_dialed(void *arg, int fd, const struct wk_address *peer, const char *reason)
{
	struct wk_client *client = arg;
	char text[WK_ADDRESS_TEXT_MAX];

	client->dialing = NULL;
	if (fd < 0) {
		if (has_proxy(client))
			fail(client, WK_CLIENT_NETWORK, "proxy %s port %u: %s",
			    client->proxy.host, client->proxy.port, reason);
		else
			fail(client, WK_CLIENT_NETWORK, "%s", reason);
		return;
	}
	client->peer = *peer;
	note(client, "connected to %s", wk_address_text(peer, text));
	wk_timer_set(&client->timer, client->deadline_ns);
	if (!has_proxy(client)) {
		begin(client, fd);
		return;
	}
	client->fd = fd;
	client->tunnel = wk_proxy_tunnel_start(client->config.loop, fd,
	    &client->proxy, client->dial_host, client->dial.port, on_tunnel,
	    client);
	if (client->tunnel == NULL) {
		close(fd);
		fail(client, WK_CLIENT_NETWORK, "%s", strerror(errno));
	}
}

/* An address that was tried; done gets the client, and so does this. */
static void
on_attempt(void *arg, const struct wk_address *address, const char *failure)
{
	char text[WK_ADDRESS_TEXT_MAX];

	note(arg, "%s%s%s", wk_address_text(address, text),
	    failure != NULL ? ": " : ": connecting",
	    failure != NULL ? failure : "");
}

static void
on_timeout(struct wk_timer *timer)
{
	struct wk_client *client = timer->arg;

	if (client->tunnel != NULL)
		fail(client, WK_CLIENT_NETWORK,
		    "proxy %s port %u: it did not answer in time",
		    client->proxy.host, client->proxy.port);
	else
		fail(client, WK_CLIENT_NETWORK, "%s",
		    client->config.credentials != NULL ?
		    "the TLS handshake took too long" :
		    "connecting took too long");
}

/* --- the beginning -------------------------------------------------------- */

static int
check(const struct wk_client_options *options, struct wk_error *error)
{
	bool is_https = wk_str_is(options->scheme, "https");

	if (!is_https && !wk_str_is(options->scheme, "http"))
		return wk_error_set(error, WK_E_INVALID, 0,
		    "expected http or https as the scheme");
	if (is_https && options->credentials == NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "https needs TLS credentials");
	if ((options->versions & (WK_HTTP_1_1 | WK_HTTP_2)) == 0)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "no version of HTTP to speak over TCP");
	if (options->host.len == 0 ||
	    memchr(options->host.at, '\0', options->host.len) != NULL)
		return wk_error_set(error, WK_E_INVALID, 0, "expected a host");
	if (options->dial.n_bind > BIND_MAX)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "more local addresses than families");
	return WK_OK;
}

static void
take_options(struct wk_client *client, const struct wk_client_options *options)
{
	struct wk_conn_config *config = &client->config;

	config->handler = client->handler->trace != NULL ? &conn_handler :
	    &quiet_conn_handler;
	config->versions = options->versions;
	config->limits = options->limits;
	config->stall_timeout_ns = options->stall_timeout_ns;
	config->trace_level = options->trace_level;
	if (wk_str_is(options->scheme, "https"))
		config->credentials = options->credentials;
	wk_conn_config_init(config);
	client->dial = options->dial;
	client->dial.attempt = on_attempt;
	if (options->dial.n_bind > 0)
		memcpy(client->bind, options->dial.bind,
		    options->dial.n_bind * sizeof(client->bind[0]));
	client->dial.bind = client->bind;
}

/* The options' strings; a host to connect to is given as in the dialer. */
static bool
take_strings(struct wk_client *client, const struct wk_client_options *options)
{
	const char *host = options->dial.host, *path = options->dial.unix_path;

	client->name = strndup(options->host.at, options->host.len);
	client->config.name = client->name;
	if (client->name == NULL)
		return false;
	if (host == NULL) {
		host = client->name;
		client->dial.port = options->port;
	}
	client->dial_host = strdup(host);
	client->dial.host = client->dial_host;
	if (path != NULL)
		client->unix_path = strdup(path);
	client->dial.unix_path = client->unix_path;
	return client->dial_host != NULL &&
	    (path == NULL || client->unix_path != NULL);
}

static int
start(struct wk_client *client, bool use_proxy, struct wk_error *error)
{
	struct wk_dial_options dial = client->dial;
	int rc;

	if (use_proxy && client->unix_path == NULL) {
		rc = wk_proxy_choose(&client->proxy,
		    client->config.credentials != NULL,
		    wk_str_of(client->dial_host), getenv, error);
		if (rc != WK_OK)
			return rc;
	}
	if (has_proxy(client)) {
		dial.host = client->proxy.host;
		dial.port = client->proxy.port;
	}
	client->dialing = wk_dial_start(client->config.loop, &dial, on_dialed,
	    client);
	return client->dialing != NULL ? WK_OK : wk_error_set(error,
	    WK_E_NOMEM, 0, "%s", strerror(errno));
}

/* A shutdown before there was anything to shut down. */
static void
on_task(struct wk_task *task)
{
	struct wk_client *client = task->arg;

	stop(client);
	client->is_over = true;
	client->handler->closed(client, WK_CLIENT_NETWORK, NULL);
}

struct wk_client *
wk_client_new(struct wk_loop *loop, const struct wk_client_options *options,
    const struct wk_client_handler *handler, void *arg, struct wk_error *error)
{
	struct wk_client *client;

	if (check(options, error) != WK_OK)
		return NULL;
	client = calloc(1, sizeof(*client));
	if (client == NULL) {
		(void)wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		return NULL;
	}
	client->handler = handler;
	client->arg = arg;
	client->config.loop = loop;
	wk_timer_init(&client->timer, loop, on_timeout, client);
	wk_task_init(&client->task, loop, on_task, client);
	client->deadline_ns = options->dial.timeout_ns == 0 ? WK_NEVER :
	    wk_loop_now_ns(loop) + options->dial.timeout_ns;
	take_options(client, options);
	if (!take_strings(client, options)) {
		(void)wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		wk_client_del(client);
		return NULL;
	}
	if (start(client, options->use_proxy, error) != WK_OK) {
		wk_client_del(client);
		return NULL;
	}
	return client;
}

void *
wk_client_arg(const struct wk_client *client)
{
	return client->arg;
}

void
wk_client_shutdown(struct wk_client *client)
{
	if (client->is_over)
		return;
	if (client->conn != NULL)
		wk_conn_shutdown(client->conn);
	else
		wk_task_schedule(&client->task);
}

void
wk_client_del(struct wk_client *client)
{
	/* Streams that hear of it may call us again. */
	if (client == NULL || client->is_deleting)
		return;
	client->is_deleting = true;
	stop(client);
	wk_proxy_free(&client->proxy);
	free(client->name);
	free(client->dial_host);
	free(client->unix_path);
	free(client);
}
