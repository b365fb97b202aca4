/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/client_parts.h"

#include <unistd.h>

void
wk_client_stop_tcp(struct wk_client *client)
{
	wk_timer_set(&client->timer, WK_NEVER);
	wk_timer_set(&client->race, WK_NEVER);
	client->wants_tcp = false;
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
	wk_client_tcp_failed(client, WK_CLIENT_NETWORK, "%s", error.reason);
}

static void
on_tunnel(void *arg, int status, const char *reason)
{
	struct wk_client *client = arg;

	client->tunnel = NULL;
	if (status == WK_OK) {
		wk_client_note(client, "through the proxy to %s port %u",
		    client->dial_host, client->dial.port);
		begin(client, client->fd);
		return;
	}
	close(client->fd);
	wk_client_tcp_failed(client,
	    status == WK_E_REFUSED     ? WK_CLIENT_REFUSED
	    : status == WK_E_MALFORMED ? WK_CLIENT_PROTOCOL
				       : WK_CLIENT_NETWORK,
	    "proxy %s port %u: %s", client->proxy.host, client->proxy.port,
	    reason);
}

static void
on_dialed(void *arg, int fd, const struct wk_address *peer, const char *reason)
{
	struct wk_client *client = arg;
	char text[WK_ADDRESS_TEXT_MAX];

	client->dialing = NULL;
	if (fd < 0) {
		if (wk_client_has_proxy(client))
			wk_client_tcp_failed(client, WK_CLIENT_NETWORK,
			    "proxy %s port %u: %s", client->proxy.host,
			    client->proxy.port, reason);
		else
			wk_client_tcp_failed(
			    client, WK_CLIENT_NETWORK, "%s", reason);
		return;
	}
	client->peer = *peer;
	wk_client_note(client, "connected to %s", wk_address_text(peer, text));
	wk_timer_set(&client->timer, client->deadline_ns);
	if (!wk_client_has_proxy(client)) {
		begin(client, fd);
		return;
	}
	client->fd = fd;
	client->tunnel =
	    wk_proxy_tunnel_start(client->config.loop, fd, &client->proxy,
		client->dial_host, client->dial.port, on_tunnel, client);
	if (client->tunnel == NULL) {
		close(fd);
		wk_client_tcp_failed(
		    client, WK_CLIENT_NETWORK, "%s", strerror(errno));
	}
}

/* WK_E_SYSTEM with errno. */
int
wk_client_start_tcp(struct wk_client *client)
{
	struct wk_dial_options dial = client->dial;

	client->wants_tcp = false;
	wk_timer_set(&client->race, WK_NEVER);
	if (wk_client_has_proxy(client)) {
		dial.host = client->proxy.host;
		dial.port = client->proxy.port;
	}
	client->dialing =
	    wk_dial_start(client->config.loop, &dial, on_dialed, client);
	return client->dialing != NULL ? WK_OK : WK_E_SYSTEM;
}

void
wk_client_tcp_timeout(struct wk_timer *timer)
{
	struct wk_client *client = timer->arg;

	if (client->tunnel != NULL)
		wk_client_tcp_failed(client, WK_CLIENT_NETWORK,
		    "proxy %s port %u: it did not answer in time",
		    client->proxy.host, client->proxy.port);
	else
		wk_client_tcp_failed(client, WK_CLIENT_NETWORK, "%s",
		    client->config.credentials != NULL
			? "the TLS handshake took too long"
			: "connecting took too long");
}
