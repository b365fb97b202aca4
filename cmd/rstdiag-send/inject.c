/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/inject.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/rstdiag-send/endpoint.h"

static int
open_one(int family, const char *interface, struct wk_error *error)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (fd < 0) {
		wk_error_set(error, WK_E_SYSTEM, 0, "raw socket: %s%s",
		    strerror(errno), errno == EPERM || errno == EACCES ?
		    " (needs CAP_NET_RAW)" : "");
		return -1;
	}
	if (interface != NULL && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE,
	    interface, (socklen_t)strlen(interface)) < 0) {
		wk_error_set(error, WK_E_SYSTEM, 0, "%s: %s", interface,
		    strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int
inject_open(struct inject *in, unsigned families, const char *interface,
    struct wk_error *error)
{
	in->v4 = in->v6 = -1;
	in->waits = true;
	if (interface != NULL && if_nametoindex(interface) == 0)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "%s: no such interface (-D lists them)", interface);
	if ((families & INJECT_V4) != 0) {
		in->v4 = open_one(AF_INET, interface, error);
		if (in->v4 < 0)
			return WK_E_SYSTEM;
	}
	if ((families & INJECT_V6) != 0) {
		in->v6 = open_one(AF_INET6, interface, error);
		if (in->v6 < 0 && !(errno == EAFNOSUPPORT && in->v4 >= 0)) {
			inject_close(in);
			return WK_E_SYSTEM;
		}
	}
	return WK_OK;
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t
destination(const struct wk_segment *s, uint32_t scope_id, union address *to)
{
	const struct endpoint e = { .ip_version = s->ip_version,
		.address = { s->dst[0], s->dst[1] } };

	memset(to, 0, sizeof(*to));
	if (s->ip_version == 4) {
		to->v4.sin_family = AF_INET;
		memcpy(&to->v4.sin_addr, s->dst, 4);
		return sizeof(to->v4);
	}
	to->v6.sin6_family = AF_INET6;
	memcpy(&to->v6.sin6_addr, s->dst, 16);
	if (endpoint_is_link_local(&e))
		to->v6.sin6_scope_id = scope_id;
	return sizeof(to->v6);
}

int
inject_send(const struct inject *in, const struct wk_segment *s,
    const uint8_t *packet, size_t len, uint32_t scope_id)
{
	int fd = s->ip_version == 4 ? in->v4 : in->v6;
	union address to;
	socklen_t to_len = destination(s, scope_id, &to);
	ssize_t n;

	if (fd < 0) {
		errno = EAFNOSUPPORT;
		return WK_E_SYSTEM;
	}
	do
		n = sendto(fd, packet, len, in->waits ? 0 : MSG_DONTWAIT,
		    &to.any, to_len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? WK_E_SYSTEM : WK_OK;
}

/* Octets that the way to the destination takes at once, or -1. */
static int
path_mtu(const struct wk_segment *s, uint32_t scope_id)
{
	bool is_v4 = s->ip_version == 4;
	int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC,
	    0);
	union address to;
	socklen_t len = destination(s, scope_id, &to);
	int mtu = -1;

	if (fd < 0)
		return -1;
	to.v4.sin_port = htons(9);	/* connecting sends nothing */
	if (connect(fd, &to.any, len) == 0) {
		len = sizeof(mtu);
		if (getsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
		    is_v4 ? IP_MTU : IPV6_MTU, &mtu, &len) < 0)
			mtu = -1;
	}
	close(fd);
	return mtu;
}

const char *
inject_explain(const struct wk_segment *s, size_t len, uint32_t scope_id,
    int errnum, char out[INJECT_TEXT])
{
	char address[ADDRESS_TEXT], more[96] = "";
	int mtu;

	if (errnum == EPERM) {
		snprintf(more, sizeof(more), " (a netfilter OUTPUT rule drops "
		    "it; see nft list ruleset)");
	} else if (errnum == EMSGSIZE) {
		mtu = path_mtu(s, scope_id);
		snprintf(more, sizeof(more), mtu < 0 ? " (%zu octets)" :
		    " (%zu octets, the MTU is %d)", len, mtu);
	}
	snprintf(out, INJECT_TEXT, "sending to %s: %s%s",
	    address_text(s->ip_version, s->dst, address), strerror(errnum),
	    more);
	return out;
}

void
inject_close(struct inject *in)
{
	if (in->v4 >= 0)
		close(in->v4);
	if (in->v6 >= 0)
		close(in->v6);
	in->v4 = in->v6 = -1;
}
