/* SPDX-License-Identifier: MIT */
/*
 * The options of tools that speak HTTP: rows for their option tables, the
 * values behind them, and what follows from these. A tool's struct options has
 * a struct wk_net_client or wk_net_listen; the macros take the struct's type
 * and the member's name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cli/options.h"
#include "common/net/access.h"
#include "common/net/client.h"
#include "common/net/server.h"

/* A type and a member in offsetof() cannot stand in parentheses. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */

/* --- dialling ------------------------------------------------------------ */

struct wk_net_client {
	bool is_ipv4, is_ipv6, is_insecure;
	const char *cacert, *cert, *key, *keylog, *unix_socket, *connect_to;
	struct wk_option_list pins, bind;
	uint64_t connect_timeout_ns, max_time_ns;
};

/* NOLINTBEGIN(bugprone-macro-parentheses): types and members take none */
#define WK_NET_CLIENT_OPTIONS(type, member) \
	{ .kind = WK_OPT_GROUP, .help = "The connection" }, \
	{ '4', "ipv4", .help = "IPv4 alone", .kind = WK_OPT_FLAG, \
	    .at = offsetof(type, member.is_ipv4) }, \
	{ '6', "ipv6", .help = "IPv6 alone", .kind = WK_OPT_FLAG, \
	    .at = offsetof(type, member.is_ipv6) }, \
	{ 0, "bind", "ADDRESS", "from this local address; one per family", \
	    WK_OPT_LIST, .at = offsetof(type, member.bind) }, \
	{ 0, "connect-to", "HOST:PORT", "connect to this instead of what the " \
	    "URL names", WK_OPT_TEXT, .at = offsetof(type, member.connect_to) }, \
	{ 0, "unix-socket", "PATH", "connect to this socket instead", \
	    WK_OPT_TEXT, .at = offsetof(type, member.unix_socket) }, \
	{ 'k', "insecure", .help = "accept any certificate", \
	    .kind = WK_OPT_FLAG, .at = offsetof(type, member.is_insecure) }, \
	{ 0, "cacert", "FILE", "trust these authorities (PEM)", \
	    WK_OPT_TEXT, .at = offsetof(type, member.cacert) }, \
	{ 0, "pin", "SHA256", "demand this public key: sha256//BASE64 or " \
	    "hexadecimal; with -k it is all that is demanded", WK_OPT_LIST, .at = offsetof(type, member.pins) }, \
	{ 0, "connect-timeout", "SEC", "give up connecting after this time; " \
	    "the default is 30", WK_OPT_SECONDS, \
	    .at = offsetof(type, member.connect_timeout_ns) }, \
	{ 'm', "max-time", "SEC", "end a tunnel after this time, whatever " \
	    "happens", \
	    WK_OPT_SECONDS, .at = offsetof(type, member.max_time_ns) }

/* Rows that clients and listeners share: our own certificate, the key log. */
#define WK_NET_CERTIFICATE_OPTIONS(type, member) \
	{ 0, "cert", "FILE", "our certificate (PEM)", WK_OPT_TEXT, \
	    .at = offsetof(type, member.cert) }, \
	{ 0, "key", "FILE", "its key, if it is not in the same file", \
	    WK_OPT_TEXT, .at = offsetof(type, member.key) }, \
	{ 0, "keylog", "FILE", "append TLS secrets for decryption; " \
	    "SSLKEYLOGFILE does the same", WK_OPT_TEXT, \
	    .at = offsetof(type, member.keylog) }

/* Was one of them given? They mean nothing to a listener. */
bool wk_net_client_is_given(const struct wk_net_client *options);

/* NULL, or which options exclude each other. */
const char *wk_net_client_conflict(const struct wk_net_client *options);

/* What the dial options borrow. */
struct wk_net_dial {
	struct wk_address bind[2];
	char host[256];
};

/*
 * From options to what wk_client_new() wants: everything but scheme, host,
 * port, versions and limits. credentials become the caller's. WK_EXIT_OK, or
 * an exit code after a message.
 */
int wk_net_client_apply(const struct wk_net_client *options, bool is_tls,
    struct wk_client_options *client, struct wk_net_dial *dial);

/* The exit code that a client's failure stands for. */
int wk_net_exit(enum wk_client_failure failure);

/* What a connection tells, for --verbose: notes, heads, frames. */
void wk_net_trace(enum wk_trace kind, const char *text);

/* --- listening ----------------------------------------------------------- */

struct wk_net_listen {
	struct wk_option_list addresses;
	const char *client_ca;
	bool is_cleartext;
	uint64_t max_connections;
};

#define WK_NET_LISTEN_OPTIONS(type, member) \
	{ 'l', "listen", "ADDRESS:PORT", "serve instead; on the loopback " \
	    "with a port alone, everywhere with *; unix:PATH, too", \
	    WK_OPT_LIST, \
	    .at = offsetof(type, member.addresses) }, \
	{ 0, "cleartext", .help = "serve without TLS", .kind = WK_OPT_FLAG, \
	    .at = offsetof(type, member.is_cleartext) }, \
	{ 0, "client-ca", "FILE", "serve clients with a certificate by these " \
	    "authorities (PEM) and no others", WK_OPT_TEXT, \
	    .at = offsetof(type, member.client_ca) }, \
	{ 0, "max-connections", "COUNT", "serve so many at a time; the " \
	    "default is 10000", WK_OPT_UINT, .min = 1, .max = 1000000, \
	    .at = offsetof(type, member.max_connections) }

/* Was one of them given, besides the addresses? */
bool wk_net_listen_is_given(const struct wk_net_listen *options);

#define WK_NET_ADDRESSES_MAX 64

/*
 * From options to what wk_server_new() wants; identity has cert, key and
 * keylog. addresses: storage for WK_NET_ADDRESSES_MAX. credentials become the
 * caller's. WK_EXIT_OK, or an exit code after a message.
 */
int wk_net_listen_apply(const struct wk_net_listen *options,
    const struct wk_net_client *identity, struct wk_server_options *server,
    struct wk_address *addresses);

/*
 * "listening on https://127.0.0.1:8443/" for each, and for a certificate that
 * was made for this run what clients can trust it by. Notices; with --json,
 * events "listening" on stdout.
 */
void wk_net_listen_announce(const struct wk_server *server,
    const struct wk_tls_credentials *credentials);

/* --- what a proxy serves -------------------------------------------------- */

/* 0 is a choice, too: what tools put there before they look at options. */
#define WK_NET_NO_TIMEOUT UINT64_MAX

struct wk_net_proxy {
	struct wk_option_list allow, deny;
	bool is_private_fine;
	uint64_t max_tunnels;
	uint64_t idle_timeout_ns;	/* WK_NET_NO_TIMEOUT: not given */
};

#define WK_NET_PROXY_OPTIONS(type, member) \
	{ 0, "allow", "RULE", "reach only targets with such a rule: " \
	    "ADDRESS[/LENGTH], NAME, *.NAME or *, then :PORT[-PORT] if any", \
	    WK_OPT_LIST, .at = offsetof(type, member.allow) }, \
	{ 0, "deny", "RULE", "never reach these", WK_OPT_LIST, \
	    .at = offsetof(type, member.deny) }, \
	{ 0, "allow-private", .help = "reach loopback, link-local, private " \
	    "and multicast targets, too", .kind = WK_OPT_FLAG, \
	    .at = offsetof(type, member.is_private_fine) }, \
	{ 0, "max-tunnels", "COUNT", "so many at a time; the default is " \
	    "10000", WK_OPT_UINT, .min = 1, .max = 1000000, \
	    .at = offsetof(type, member.max_tunnels) }, \
	{ 0, "idle-timeout", "SEC", "close silent tunnels; the default is " \
	    "120, 0 never", WK_OPT_SECONDS, \
	    .at = offsetof(type, member.idle_timeout_ns) }

/* NOLINTEND(bugprone-macro-parentheses) */

/* The rules, the caller's then; NULL after a message, exit code WK_EXIT_USAGE. */
struct wk_access_targets *wk_net_targets(const struct wk_net_proxy *options);

/*
 * --auth: the credentials in a file, the caller's then; NULL after a message,
 * with the exit code in *rc.
 */
struct wk_access_auth *wk_net_auth(const char *path, int *rc);

/* --- heads --------------------------------------------------------------- */

/*
 * The fields of --header 'Name: value', names in lower case, appended from
 * fields[n] on up to max. Names are written into text. The new number, or a
 * negative status with the reason in error.
 */
int wk_net_headers(const struct wk_option_list *headers,
    struct wk_field *fields, size_t n, size_t max, struct wk_buf *text,
    struct wk_error *error);

/* NOLINTEND(bugprone-macro-parentheses) */
