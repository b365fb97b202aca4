/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/client_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
wk_client_note(struct wk_client *client, const char *format, ...)
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
	wk_task_cancel(&client->task);
	wk_client_stop_quic(client);
	wk_client_stop_tcp(client);
}

/* The last thing done here: the client may be deleted in closed. */
static void __attribute__((format(printf, 3, 4)))
fail(struct wk_client *client, enum wk_client_failure failure,
    const char *format, ...)
{
	char reason[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	stop(client);
	client->is_over = true;
	client->handler->closed(client, failure, reason);
}

/* --- two ways ------------------------------------------------------------- */

void
wk_client_tcp_failed(struct wk_client *client, enum wk_client_failure failure,
    const char *format, ...)
{
	char reason[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	if (client->quic_dialing != NULL) {
		wk_client_note(client, "over TCP: %s", reason);
		wk_client_stop_tcp(client);
		free(client->tcp_failure);
		client->tcp_failure = strdup(reason);
	} else if (client->quic_failure != NULL) {
		fail(client, failure, "over QUIC: %s; over TCP: %s",
		    client->quic_failure, reason);
	} else {
		fail(client, failure, "%s", reason);
	}
}

void
wk_client_quic_failed(struct wk_client *client, const char *reason)
{
	bool is_tcp_alive = client->dialing != NULL ||
	    client->tunnel != NULL || client->conn != NULL;

	if (client->wants_tcp || is_tcp_alive) {
		wk_client_note(client, "over QUIC: %s", reason);
		client->quic_failure = strdup(reason);
		if (client->wants_tcp && wk_client_start_tcp(client) != WK_OK)
			wk_client_tcp_failed(client, WK_CLIENT_NETWORK, "%s",
			    strerror(errno));
	} else if (client->tcp_failure != NULL) {
		fail(client, WK_CLIENT_NETWORK, "over QUIC: %s; over TCP: %s",
		    reason, client->tcp_failure);
	} else {
		fail(client, WK_CLIENT_NETWORK, "%s", reason);
	}
}

/* --- the connection ------------------------------------------------------- */

void
wk_client_connected(struct wk_client *client)
{
	client->is_connected = true;
	client->handler->connected(client, client->conn->session);
}

static void
on_opened(struct wk_conn *conn)
{
	struct wk_client *client = conn->owner;
	unsigned number = wk_client_quic_attempt(client, conn);

	if (number != 0) {
		wk_dial_attempted(client->quic_dialing, number, NULL);
		return;
	}
	wk_timer_set(&client->timer, WK_NEVER);
	wk_client_stop_quic(client);
	wk_client_connected(client);
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
	enum wk_client_failure failure = is_protocol ? WK_CLIENT_PROTOCOL :
	    WK_CLIENT_NETWORK;
	unsigned number = wk_client_quic_attempt(client, conn);

	if (number != 0) {
		client->quic_attempts[number - 1] = NULL;
		wk_dial_attempted(client->quic_dialing, number,
		    reason != NULL ? reason : "the connection was closed");
		return;
	}
	client->conn = NULL;
	wk_timer_set(&client->timer, WK_NEVER);
	if (!client->is_connected && reason != NULL) {
		wk_client_tcp_failed(client, failure, "%s", reason);
		return;
	}
	stop(client);
	client->is_over = true;
	client->handler->closed(client, failure, reason);
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

/* An address that was tried; done gets the client, and so does this. */
static void
on_attempt(void *arg, const struct wk_address *address, const char *failure)
{
	char text[WK_ADDRESS_TEXT_MAX];

	wk_client_note(arg, "%s%s%s", wk_address_text(address, text),
	    failure != NULL ? ": " : ": connecting",
	    failure != NULL ? failure : "");
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
	if ((options->versions &
	    (WK_HTTP_1_1 | WK_HTTP_2 | WK_HTTP_3)) == 0)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "no version of HTTP to speak");
	if (options->versions == WK_HTTP_3 && !is_https)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "HTTP/3 needs an https URL");
	if (options->versions == WK_HTTP_3 && options->dial.unix_path != NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "HTTP/3 does not go to a unix socket");
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

static void
on_race(struct wk_timer *timer)
{
	struct wk_client *client = timer->arg;

	wk_client_note(client, "no connection over QUIC yet, trying TCP, too");
	if (wk_client_start_tcp(client) != WK_OK)
		wk_client_tcp_failed(client, WK_CLIENT_NETWORK, "%s", strerror(errno));
}

/* Whether QUIC is a way to go, and TCP another. */
static int
choose_ways(struct wk_client *client, bool *by_quic, struct wk_error *error)
{
	unsigned versions = client->config.versions;

	client->wants_tcp = (versions & (WK_HTTP_1_1 | WK_HTTP_2)) != 0;
	*by_quic = (versions & WK_HTTP_3) != 0 &&
	    client->config.credentials != NULL && client->unix_path == NULL;
	if (*by_quic && wk_client_has_proxy(client)) {
		if (!client->wants_tcp)
			return wk_error_set(error, WK_E_UNSUPPORTED, 0,
			    "HTTP/3 does not go through the proxy that the "
			    "environment names");
		wk_client_note(client, "no QUIC through a proxy");
		*by_quic = false;
	}
	return WK_OK;
}

static int
start(struct wk_client *client, const struct wk_client_options *options,
    struct wk_error *error)
{
	bool by_quic;
	int rc = WK_OK;

	if (options->use_proxy && client->unix_path == NULL)
		rc = wk_proxy_choose(&client->proxy,
		    client->config.credentials != NULL,
		    wk_str_of(client->dial_host), getenv, error);
	if (rc == WK_OK)
		rc = choose_ways(client, &by_quic, error);
	if (rc != WK_OK)
		return rc;
	if (by_quic) {
		rc = wk_client_start_quic(client, options->quic, error);
		if (client->wants_tcp)
			wk_timer_set(&client->race, options->race_delay_ns +
			    wk_loop_now_ns(client->config.loop));
		return rc;
	}
	return wk_client_start_tcp(client) == WK_OK ? WK_OK : wk_error_set(error,
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
	wk_timer_init(&client->timer, loop, wk_client_tcp_timeout, client);
	wk_timer_init(&client->race, loop, on_race, client);
	wk_task_init(&client->task, loop, on_task, client);
	client->deadline_ns = options->dial.timeout_ns == 0 ? WK_NEVER :
	    wk_loop_now_ns(loop) + options->dial.timeout_ns;
	take_options(client, options);
	if (!take_strings(client, options)) {
		(void)wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
		wk_client_del(client);
		return NULL;
	}
	if (start(client, options, error) != WK_OK) {
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
	if (client->conn != NULL && client->quic_dialing == NULL)
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
	free(client->quic_failure);
	free(client->tcp_failure);
	free(client->name);
	free(client->dial_host);
	free(client->unix_path);
	free(client);
}
