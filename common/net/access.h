/* SPDX-License-Identifier: MIT */
/*
 * Who may ask, and for what: credentials in a request (RFC 9110, section 11;
 * Basic of RFC 7617, Bearer of RFC 6750), and the targets that a proxy reaches
 * (RFC 9298, section 7). Addresses are judged after the name was looked up, in
 * the form that connect() will get.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/net/sock.h"
#include "common/wire/message.h"

/* Accepted credentials, from a file: "basic USER:PASSWORD" or "bearer TOKEN" */
/* per line, # comments. Compared in constant time. */
struct wk_access_auth;
struct wk_access_auth *wk_access_auth_load(const char *path,
    struct wk_error *error);
void wk_access_auth_del(struct wk_access_auth *auth);

/*
 * Authorization or Proxy-Authorization (curl's proxies send that) match. The
 * answer to a wrong one is 401 with WWW-Authenticate, or 407 with
 * Proxy-Authenticate if that was the field.
 */
bool wk_access_auth_check(const struct wk_access_auth *auth,
    const struct wk_message *request, bool *used_proxy_field);

/*
 * The answer to who does not pass: its status, and the challenge in *field,
 * written into text. realm names who asks.
 */
#define WK_ACCESS_CHALLENGE_MAX 128
uint16_t wk_access_auth_challenge(const char *realm, bool used_proxy_field,
    char text[WK_ACCESS_CHALLENGE_MAX], struct wk_field *field);

/*
 * For the other end: the first of them as the value of Authorization, appended
 * to b. Returns b->status.
 */
int wk_access_auth_value(const struct wk_access_auth *auth, struct wk_buf *b);

/* Rules for targets. The most specific matching rule wins, deny on a tie. */
struct wk_access_targets;
struct wk_access_targets *wk_access_targets_new(void);
void wk_access_targets_del(struct wk_access_targets *targets);

/*
 * "192.0.2.0/24", "2001:db8::/32:53", "[::1]:5353", "127.0.0.1:53-99", "*:53",
 * "example.org:443", "*.example.org": address, prefix or name (* for all),
 * with a port or a range. A name rule holds for the name asked for; its
 * addresses still must not be of the kinds below unless allow_private says so
 * or a rule names them.
 */
int wk_access_targets_add(struct wk_access_targets *targets, bool is_allow,
    const char *rule, struct wk_error *error);

/* Lift the built-in refusals of wk_access_kind(). */
void wk_access_targets_allow_private(struct wk_access_targets *targets);

/*
 * The name before look-up: false when a rule denies it whatever its address,
 * or when allow rules exist and none can match.
 */
bool wk_access_targets_name(const struct wk_access_targets *targets,
    struct wk_str host, uint16_t port);

/*
 * The address that will be connected to; host as asked for. WK_OK, or
 * WK_E_INVALID with the reason ("loopback addresses are not served").
 */
int wk_access_targets_address(const struct wk_access_targets *targets,
    struct wk_str host, const struct wk_address *address,
    struct wk_error *error);

/*
 * NULL for an address out in the world, else what it is: "loopback",
 * "unspecified", "link-local", "multicast", "broadcast", "private",
 * "shared", and "own" for the machine's addresses. IPv4 inside ::ffff:0:0/96, 64:ff9b::/96
 * and 2002::/16 is judged as IPv4.
 */
const char *wk_access_kind(const struct wk_address *address);
