/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/netopt.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/out.h"
#include "common/wire/http1.h"

#define CONNECT_TIMEOUT_NS (30 * WK_NS_PER_SEC)

/* --- dialling ------------------------------------------------------------ */

bool
wk_net_client_is_given(const struct wk_net_client *o)
{
	return o->is_ipv4 || o->is_ipv6 || o->bind.n > 0 ||
	    o->connect_to != NULL || o->unix_socket != NULL ||
	    o->is_insecure || o->cacert != NULL || o->pins.n > 0 ||
	    o->connect_timeout_ns > 0 || o->max_time_ns > 0;
}

const char *
wk_net_client_conflict(const struct wk_net_client *o)
{
	if (o->is_ipv4 && o->is_ipv6)
		return "--ipv4 and --ipv6 exclude each other";
	if (o->unix_socket != NULL && o->connect_to != NULL)
		return "--unix-socket and --connect-to exclude each other";
	if (o->key != NULL && o->cert == NULL)
		return "--key needs --cert";
	if (o->is_insecure && o->cacert != NULL)
		return "--insecure and --cacert exclude each other";
	return NULL;
}

static int
credentials_failed(const struct wk_error *error)
{
	wk_warn("%s", error->reason);
	return error->status == WK_E_INVALID ? WK_EXIT_USAGE : WK_EXIT_SYSTEM;
}

static int
client_credentials(const struct wk_net_client *o,
    struct wk_client_options *client)
{
	const struct wk_tls_options tls = {
		.cacert = o->cacert, .is_insecure = o->is_insecure,
		.pins = o->pins.items, .n_pins = o->pins.n,
		.cert = o->cert, .key = o->key, .keylog = o->keylog,
	};
	struct wk_error error;

	client->credentials = wk_tls_credentials_new(&tls, &error);
	if (client->credentials == NULL)
		return credentials_failed(&error);
	if (o->is_insecure && o->pins.n == 0)
		wk_caution("certificates are not verified (--insecure)");
	return WK_EXIT_OK;
}

static int
take_binds(const struct wk_net_client *o, struct wk_client_options *client,
    struct wk_net_dial *dial)
{
	size_t i;

	if (o->bind.n > 2)
		return wk_usage_error("--bind may be given once per family");
	for (i = 0; i < o->bind.n; i++)
		if (wk_address_from_ip(&dial->bind[i],
		    wk_str_of(o->bind.items[i]), 0) != WK_OK)
			return wk_usage_error("--bind %s: expected a numeric "
			    "address", o->bind.items[i]);
	if (o->bind.n == 2 && dial->bind[0].sa.ss_family ==
	    dial->bind[1].sa.ss_family)
		return wk_usage_error("--bind may be given once per family");
	client->dial.bind = dial->bind;
	client->dial.n_bind = o->bind.n;
	return WK_EXIT_OK;
}

static int
take_connect_to(const struct wk_net_client *o,
    struct wk_client_options *client, struct wk_net_dial *dial)
{
	struct wk_http1_authority authority;

	if (o->connect_to == NULL)
		return WK_EXIT_OK;
	if (wk_http1_authority_parse(wk_str_of(o->connect_to), &authority,
	    NULL) != WK_OK || authority.port < 1 || authority.host.len == 0 ||
	    authority.host.len >= sizeof(dial->host))
		return wk_usage_error("--connect-to %s: expected HOST:PORT",
		    o->connect_to);
	memcpy(dial->host, authority.host.at, authority.host.len);
	dial->host[authority.host.len] = '\0';
	client->dial.host = dial->host;
	client->dial.port = (uint16_t)authority.port;
	return WK_EXIT_OK;
}

int
wk_net_client_apply(const struct wk_net_client *o, bool is_tls,
    struct wk_client_options *client, struct wk_net_dial *dial)
{
	int rc;

	client->dial.family = o->is_ipv4 ? AF_INET : o->is_ipv6 ? AF_INET6 :
	    AF_UNSPEC;
	client->dial.unix_path = o->unix_socket;
	client->dial.timeout_ns = o->connect_timeout_ns > 0 ?
	    o->connect_timeout_ns : CONNECT_TIMEOUT_NS;
	client->use_proxy = o->unix_socket == NULL && o->connect_to == NULL;
	rc = take_binds(o, client, dial);
	if (rc == WK_EXIT_OK)
		rc = take_connect_to(o, client, dial);
	if (rc == WK_EXIT_OK && is_tls)
		rc = client_credentials(o, client);
	return rc;
}

int
wk_net_exit(enum wk_client_failure failure)
{
	switch (failure) {
	case WK_CLIENT_NETWORK:
		return WK_EXIT_NETWORK;
	case WK_CLIENT_PROTOCOL:
		return WK_EXIT_PROTOCOL;
	case WK_CLIENT_REFUSED:
		return WK_EXIT_REFUSED;
	}
	return WK_EXIT_NETWORK;
}

void
wk_net_trace(enum wk_trace kind, const char *text)
{
	static const struct {
		unsigned level;
		char mark;
	} lines[] = {
		[WK_TRACE_NOTE] = { 1, '*' },
		[WK_TRACE_SENT] = { 1, '>' },
		[WK_TRACE_RECEIVED] = { 1, '<' },
		[WK_TRACE_FRAME_SENT] = { 2, '>' },
		[WK_TRACE_FRAME_RECEIVED] = { 2, '<' },
	};

	wk_verbose_line(lines[kind].level, lines[kind].mark, text);
}

/* --- listening ----------------------------------------------------------- */

bool
wk_net_listen_is_given(const struct wk_net_listen *o)
{
	return o->is_cleartext || o->client_ca != NULL ||
	    o->max_connections > 0;
}

static int
take_addresses(const struct wk_net_listen *o,
    struct wk_server_options *server, struct wk_address *addresses)
{
	struct wk_error error;
	size_t i;
	int n;

	server->addresses = addresses;
	server->n_addresses = 0;
	for (i = 0; i < o->addresses.n; i++) {
		n = wk_address_parse(wk_str_of(o->addresses.items[i]),
		    "127.0.0.1", addresses + server->n_addresses,
		    WK_NET_ADDRESSES_MAX - server->n_addresses, &error);
		if (n < 0)
			return wk_usage_error("--listen %s: %s",
			    o->addresses.items[i], error.reason);
		server->n_addresses += (size_t)n;
	}
	return WK_EXIT_OK;
}

int
wk_net_listen_apply(const struct wk_net_listen *o,
    const struct wk_net_client *identity, struct wk_server_options *server,
    struct wk_address *addresses)
{
	const struct wk_tls_options tls = {
		.is_server = true, .client_ca = o->client_ca,
		.cert = identity->cert, .key = identity->key,
		.keylog = identity->keylog,
	};
	struct wk_error error;
	int rc;

	if (o->max_connections > 0)
		server->max_connections = (size_t)o->max_connections;
	rc = take_addresses(o, server, addresses);
	if (rc != WK_EXIT_OK || o->is_cleartext)
		return rc;
	server->credentials = wk_tls_credentials_new(&tls, &error);
	return server->credentials == NULL ? credentials_failed(&error) :
	    WK_EXIT_OK;
}

static void
announce_json(const char *url, const struct wk_tls_credentials *credentials)
{
	char pin[WK_TLS_PIN_MAX], fingerprint[WK_TLS_FINGERPRINT_MAX];

	wk_json_begin("listening");
	wk_json_str("url", url);
	if (credentials != NULL) {
		wk_json_str("pin", wk_tls_spki_pin(credentials, pin));
		wk_json_str("certificate_sha256", wk_tls_fingerprint(
		    credentials, fingerprint));
	}
	wk_json_end();
}

void
wk_net_listen_announce(const struct wk_server *server,
    const struct wk_tls_credentials *credentials)
{
	char text[WK_ADDRESS_TEXT_MAX], pin[WK_TLS_PIN_MAX], url[160];
	char fingerprint[WK_TLS_FINGERPRINT_MAX];
	const struct wk_address *addresses;
	size_t n, i;

	addresses = wk_server_addresses(server, &n);
	for (i = 0; i < n; i++) {
		wk_address_text(&addresses[i], text);
		snprintf(url, sizeof(url), strncmp(text, "unix:", 5) == 0 ?
		    "%.0s%s" : "%s://%s/", credentials != NULL ? "https" :
		    "http", text);
		wk_notice("listening on %s", url);
		if (wk_cli.is_json)
			announce_json(url, credentials);
	}
	if (credentials != NULL && wk_tls_is_self_made(credentials)) {
		wk_notice("certificate made for this run, which clients trust "
		    "by --insecure --pin %s",
		    wk_tls_spki_pin(credentials, pin));
		wk_notice("certificate SHA-256 %s", wk_tls_fingerprint(
		    credentials, fingerprint));
	}
	wk_out_flush();
}

/* --- what a proxy serves -------------------------------------------------- */

static bool
add_rules(struct wk_access_targets *targets,
    const struct wk_option_list *rules, bool is_allow)
{
	struct wk_error error;
	size_t i;

	for (i = 0; i < rules->n; i++)
		if (wk_access_targets_add(targets, is_allow, rules->items[i],
		    &error) != WK_OK) {
			wk_usage_error("--%s %s: %s", is_allow ? "allow" :
			    "deny", rules->items[i], error.reason);
			return false;
		}
	return true;
}

struct wk_access_targets *
wk_net_targets(const struct wk_net_proxy *o)
{
	struct wk_access_targets *targets = wk_access_targets_new();

	if (targets == NULL) {
		wk_warn("out of memory");
		return NULL;
	}
	if (o->is_private_fine)
		wk_access_targets_allow_private(targets);
	if (add_rules(targets, &o->allow, true) &&
	    add_rules(targets, &o->deny, false))
		return targets;
	wk_access_targets_del(targets);
	return NULL;
}

struct wk_access_auth *
wk_net_auth(const char *path, int *rc)
{
	struct wk_access_auth *auth;
	struct wk_error error;

	auth = wk_access_auth_load(path, &error);
	if (auth != NULL)
		return auth;
	if (error.offset > 0)
		wk_warn("%s: line %llu: %s", path,
		    (unsigned long long)error.offset, error.reason);
	else
		wk_warn("%s: %s", path, error.reason);
	*rc = error.status == WK_E_SYSTEM ? WK_EXIT_SYSTEM : WK_EXIT_USAGE;
	return NULL;
}

/* --- heads --------------------------------------------------------------- */

static int
add_header(const char *line, struct wk_field *field, struct wk_buf *text,
    struct wk_error *error)
{
	const char *colon = strchr(line, ':');
	size_t i, len;
	char c;

	if (colon == NULL || colon == line)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "expected 'Name: value'");
	len = (size_t)(colon - line);
	field->name.at = (const char *)text->data + text->len;
	field->name.len = len;
	for (i = 0; i < len; i++) {
		c = (char)wk_ascii_lower(line[i]);
		wk_buf_append(text, &c, 1);
	}
	colon += 1 + strspn(colon + 1, " \t");
	len = strlen(colon);
	while (len > 0 && (colon[len - 1] == ' ' || colon[len - 1] == '\t'))
		len--;
	field->value = (struct wk_str){ colon, len };
	return text->status;
}

int
wk_net_headers(const struct wk_option_list *headers, struct wk_field *fields,
    size_t n, size_t max, struct wk_buf *text, struct wk_error *error)
{
	size_t i, room = 0;
	int rc;

	/* All at once: names point into the text, which must not move. */
	for (i = 0; i < headers->n; i++)
		room += strlen(headers->items[i]);
	if (wk_buf_reserve(text, room) != WK_OK)
		return wk_error_set(error, text->status, 0, "too long");
	for (i = 0; i < headers->n; i++) {
		if (n == max)
			return wk_error_set(error, WK_E_LIMIT, 0,
			    "too many fields");
		rc = add_header(headers->items[i], &fields[n], text, error);
		if (rc != WK_OK)
			return rc;
		n++;
	}
	return (int)n;
}
