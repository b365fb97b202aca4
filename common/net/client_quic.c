/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/client_parts.h"

void
wk_client_stop_quic(struct wk_client *client)
{
	if (client->quic_dialing != NULL)
		wk_dial_cancel(client->quic_dialing);
	client->quic_dialing = NULL;
}

unsigned
wk_client_quic_attempt(
    const struct wk_client *client, const struct wk_conn *conn)
{
	unsigned i;

	for (i = 0; client->quic_dialing != NULL && i < QUIC_ATTEMPTS_MAX; i++)
		if (client->quic_attempts[i] == conn)
			return i + 1;
	return 0;
}

#ifdef HAVE_QUIC

static void *
quic_start(void *arg, unsigned number, const struct wk_address *to,
    const struct wk_address *from, struct wk_error *error)
{
	struct wk_client *client = arg;
	struct wk_conn *conn =
	    wk_conn_quic_dial(&client->config, client, to, from, error);

	client->quic_attempts[number - 1] = conn;
	return conn;
}

static void
quic_cancel(void *arg, void *attempt)
{
	(void)arg;
	wk_conn_del(attempt);
}

static void
quic_done(
    void *arg, void *attempt, const struct wk_address *peer, const char *reason)
{
	struct wk_client *client = arg;
	char text[WK_ADDRESS_TEXT_MAX];

	client->quic_dialing = NULL;
	if (attempt == NULL) {
		wk_client_quic_failed(client, reason);
		return;
	}
	wk_client_stop_tcp(client);
	client->conn = attempt;
	wk_client_note(client, "connected to %s", wk_address_text(peer, text));
	wk_client_connected(client);
}

int
wk_client_start_quic(struct wk_client *client,
    const struct wk_quic_options *options, struct wk_error *error)
{
	static const struct wk_dial_kind kind = {
		.start = quic_start,
		.cancel = quic_cancel,
		.done = quic_done,
	};

	if (options != NULL)
		client->config.quic = *options;
	else
		wk_quic_options_default(&client->config.quic);
	client->quic_dialing = wk_dial_start_kind(
	    client->config.loop, &client->dial, &kind, client);
	return client->quic_dialing != NULL
	           ? WK_OK
	           : wk_error_set(error, WK_E_NOMEM, 0, "%s", strerror(errno));
}

#else

int
wk_client_start_quic(struct wk_client *client,
    const struct wk_quic_options *options, struct wk_error *error)
{
	(void)client;
	(void)options;
	return wk_error_set(error, WK_E_UNSUPPORTED, 0, "built without HTTP/3");
}

#endif
