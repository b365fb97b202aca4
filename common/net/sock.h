/* SPDX-License-Identifier: MIT */
/*
 * Addresses and sockets: text forms, names looked up without blocking the
 * loop, connecting by Happy Eyeballs (RFC 8305), listening. All sockets are
 * close-on-exec and non-blocking.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/base/error.h"
#include "common/base/str.h"
#include "common/net/loop.h"

struct wk_address {
	struct sockaddr_storage sa;	/* AF_INET, AF_INET6 or AF_UNIX */
	socklen_t len;
};

/* [ADDRESS]:PORT with zone, a unix path with its prefix, and a NUL. */
#define WK_ADDRESS_TEXT_MAX 128

/* 192.0.2.1:443, [2001:db8::1]:443, [fe80::1%eth0]:443, unix:/run/x */
const char *wk_address_text(const struct wk_address *address,
    char text[WK_ADDRESS_TEXT_MAX]);

/* The same without the port and brackets: 192.0.2.1, 2001:db8::1 */
const char *wk_address_host_text(const struct wk_address *address,
    char text[WK_ADDRESS_TEXT_MAX]);

/* 0 for a unix path. */
uint16_t wk_address_port(const struct wk_address *address);

void wk_address_set_port(struct wk_address *address, uint16_t port);

/*
 * Numeric forms only: ADDRESS:PORT, [ADDRESS]:PORT, :PORT and PORT (with
 * default_host, which is numeric too), *:PORT for every address of both
 * families (two addresses), unix:PATH. Writes up to max and returns how many,
 * or a negative status with the error's offset in text. Port 0 is fine.
 */
int wk_address_parse(struct wk_str text, const char *default_host,
    struct wk_address *addresses, size_t max, struct wk_error *error);

/*
 * The parts of ADDRESS:PORT, [ADDRESS]:PORT, :PORT and PORT, whatever the
 * address is: host borrows from text, without its brackets, and is empty where
 * only a port stands.
 */
int wk_address_split(struct wk_str text, struct wk_str *host, uint16_t *port,
    struct wk_error *error);

/*
 * As wk_address_parse, and names too, which are looked up while the caller
 * waits: for the command line, never in a loop. WK_E_SYSTEM: no such name, or
 * nobody who knows.
 */
int wk_address_lookup(struct wk_str text, const char *default_host,
    struct wk_address *addresses, size_t max, struct wk_error *error);

/* Set from a numeric host without brackets; WK_E_INVALID if it is a name. */
int wk_address_from_ip(struct wk_address *address, struct wk_str host,
    uint16_t port);

/* Set from a path; WK_E_INVALID if it is empty or longer than 107 octets. */
int wk_address_from_unix(struct wk_address *address, struct wk_str path);

bool wk_address_equals(const struct wk_address *a, const struct wk_address *b);

/*
 * A name looked up in a thread of its own, so that the loop goes on. Both
 * families are asked for at once unless family says AF_INET or AF_INET6.
 */
#define WK_RESOLVE_MAX 32	/* addresses taken of one answer and family */

struct wk_resolve_result {
	int status;		/* WK_OK, or WK_E_SYSTEM */
	const char *reason;	/* of a failure: what the resolver said */
	bool is_final;		/* EAI_NONAME and the like: the name is not there */
	const struct wk_address *addresses;	/* borrowed for the callback */
	size_t n_addresses;
};

struct wk_resolve;

/*
 * Numeric hosts, localhost and the names under it (RFC 6761, section 6.3) are
 * answered without a thread, but never before this call returns. done comes
 * once, with the addresses of all families in the order to try them. NULL: no
 * memory, descriptor or thread (errno says which; EAGAIN: 128 lookups wait for
 * their resolver); done does not come then.
 */
struct wk_resolve *wk_resolve_start(struct wk_loop *loop, const char *host,
    uint16_t port, int family,
    void (*done)(void *arg, const struct wk_resolve_result *result), void *arg);

/* Before done: it will not come any more. */
void wk_resolve_cancel(struct wk_resolve *resolve);

/*
 * Connect to the first address that answers: families interleaved, IPv6
 * first, the next attempt 250 ms behind the one before or as soon as that
 * fails, 50 ms of patience for the AAAA answer when A came first
 * (RFC 8305, sections 3 to 5 and 8).
 */
struct wk_dial;

/*
 * What connecting is when it is not TCP's: an attempt of somebody else's, which
 * reports by wk_dial_attempted(), but never before start returns.
 */
struct wk_dial_kind {
	/* With the number to report by, from 1. NULL: error says why. */
	void *(*start)(void *arg, unsigned number,
	    const struct wk_address *to, const struct wk_address *from,
	    struct wk_error *error);
	void (*cancel)(void *arg, void *attempt);
	/* As done below, with the attempt that succeeded, or NULL. */
	void (*done)(void *arg, void *attempt, const struct wk_address *peer,
	    const char *reason);
};

struct wk_dial_options {
	const char *host;		/* name, address, or NULL with path */
	uint16_t port;
	const char *unix_path;		/* instead of host and port */
	int family;			/* AF_UNSPEC, AF_INET, AF_INET6 */
	const struct wk_address *bind;	/* local addresses, at most one per */
	size_t n_bind;			/* family; copied */
	uint64_t timeout_ns;		/* of the whole, lookup too; 0: none */
	/* Each attempt, for -v; address and how it failed, NULL at its start. */
	/* Not the place to cancel. */
	void (*attempt)(void *arg, const struct wk_address *address,
	    const char *failure);
};

/*
 * done comes once and never before this call returns: fd (then the caller's,
 * with TCP_NODELAY) and its address, or -1 and a reason fit to follow "host:".
 * The options need not stay. NULL as above.
 */
struct wk_dial *wk_dial_start(struct wk_loop *loop,
    const struct wk_dial_options *options,
    void (*done)(void *arg, int fd, const struct wk_address *peer,
	const char *reason), void *arg);
void wk_dial_cancel(struct wk_dial *dial);

/* The same with attempts of another kind; unix_path means nothing to it. */
struct wk_dial *wk_dial_start_kind(struct wk_loop *loop,
    const struct wk_dial_options *options, const struct wk_dial_kind *kind,
    void *arg);

/*
 * An attempt of another kind has succeeded (NULL reason) and is its owner's
 * from then on, or has failed and is gone. done may come from inside.
 */
void wk_dial_attempted(struct wk_dial *dial, unsigned number,
    const char *reason);

/*
 * A listening stream socket. IPv6 is IPv6 alone. A unix path that nobody
 * listens on any more is taken over; removing it in the end is the caller's.
 * Returns the descriptor, or a negative
 * status with the reason in error; the address bound, with the port that the
 * kernel chose, is written back.
 */
int wk_sock_listen(struct wk_address *address, struct wk_error *error);

/*
 * Take one connection: the descriptor, or -1 with errno, which is EAGAIN, or
 * something about the listener or this process: connections that broke while
 * they waited are passed over. TCP_NODELAY is set.
 */
int wk_sock_accept(int listener, struct wk_address *peer);

/*
 * A UDP socket connected to that address, with DF set and no fragmentation
 * (RFC 9298, section 6.1). The descriptor, or -1 with errno.
 */
int wk_sock_udp_connect(const struct wk_address *address);

/* Whether errno of accept means to stop accepting for a moment (EMFILE...). */
bool wk_sock_is_exhausted(int error_number);
