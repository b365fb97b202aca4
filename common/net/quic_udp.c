/* SPDX-License-Identifier: MIT */
/*
 * Datagrams in batches: sendmsg with UDP_SEGMENT or sendmmsg, recvmmsg with
 * UDP_GRO; marks of ECN both ways, and the local address of each datagram
 * where a socket has many. What a kernel refuses is done without.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net/quic_parts.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define SLOT_OCTETS 65536	/* with GRO a read gives that much at most */
#define BUFFER_OCTETS (4 << 20)	/* wished of the kernel */
#define SERVER_BUFFER_OCTETS (16 << 20)

/* Room for what comes along with a message. */
union control {
	struct cmsghdr align;
	uint8_t room[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
	    2 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(uint16_t))];
};

/* Pages of it that nobody touches cost nothing. */
struct blocks {
	unsigned holders;
	uint8_t out[SLOT_OCTETS];
	struct mmsghdr out_messages[QUIC_BATCH_MAX];
	struct iovec out_parts[QUIC_BATCH_MAX];
	struct mmsghdr messages[QUIC_BATCH_MAX];
	struct iovec parts[QUIC_BATCH_MAX];
	struct wk_address peers[QUIC_BATCH_MAX];
	union control controls[QUIC_BATCH_MAX];
	uint8_t in[QUIC_BATCH_MAX][SLOT_OCTETS];
};

static _Thread_local struct blocks *blocks;

int
quic_udp_hold(void)
{
	if (blocks == NULL) {
		blocks = malloc(sizeof(*blocks));
		if (blocks == NULL)
			return WK_E_NOMEM;
		blocks->holders = 0;
	}
	blocks->holders++;
	return WK_OK;
}

void
quic_udp_release(void)
{
	if (--blocks->holders > 0)
		return;
	free(blocks);
	blocks = NULL;
}

uint8_t *
quic_udp_block(void)
{
	return blocks->out;
}

/* --- sockets -------------------------------------------------------------- */

static void
set_option(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

static void
set_options(struct quic_socket *s, int fd, int family, bool is_server)
{
	int size = is_server ? SERVER_BUFFER_OCTETS : BUFFER_OCTETS, on = 1;

	/* Never cut on the way: QUIC finds out what fits (RFC 9000, */
	/* section 14); what the kernel believes of the path is not asked. */
	if (family == AF_INET6) {
		set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
		    IPV6_PMTUDISC_PROBE);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
		if (s->is_wildcard)
			set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	} else {
		set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER,
		    IP_PMTUDISC_PROBE);
		set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
		if (s->is_wildcard)
			set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
	}
	set_option(fd, SOL_SOCKET, SO_RCVBUF, size);
	set_option(fd, SOL_SOCKET, SO_SNDBUF, size);
	s->has_gro = setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on,
	    sizeof(on)) == 0;
	s->has_gso = !s->endpoint->options.has_no_gso;
}

static bool
is_any(const struct wk_address *address)
{
	const struct sockaddr_in *v4 = (const void *)&address->sa;
	const struct sockaddr_in6 *v6 = (const void *)&address->sa;

	return address->sa.ss_family == AF_INET6 ?
	    IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr) :
	    v4->sin_addr.s_addr == htonl(INADDR_ANY);
}

static int
connect_socket(struct quic_socket *s, int fd, const struct wk_address *local,
    const struct wk_address *peer)
{
	s->is_connected = peer != NULL;
	if (local != NULL && bind(fd, (const struct sockaddr *)&local->sa,
	    local->len) < 0)
		return -1;
	if (peer != NULL && connect(fd, (const struct sockaddr *)&peer->sa,
	    peer->len) < 0)
		return -1;
	s->local.len = sizeof(s->local.sa);
	return getsockname(fd, (struct sockaddr *)&s->local.sa, &s->local.len);
}

int
quic_udp_open(struct quic_socket *s, struct wk_quic_endpoint *endpoint,
    const struct wk_address *local, const struct wk_address *peer,
    struct wk_error *error)
{
	int family = (local != NULL ? local : peer)->sa.ss_family;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int saved;

	memset(s, 0, sizeof(*s));
	s->io.fd = -1;
	s->endpoint = endpoint;
	if (fd < 0)
		return wk_error_set(error, WK_E_SYSTEM, 0, "%s",
		    strerror(errno));
	if (family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	s->is_wildcard = peer == NULL && is_any(local);
	set_options(s, fd, family, peer == NULL);
	if (connect_socket(s, fd, local, peer) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return wk_error_set(error, WK_E_SYSTEM, 0, "%s",
		    strerror(saved));
	}
	wk_io_init(&s->io, endpoint->loop, fd, quic_endpoint_ready, s);
	wk_io_watch(&s->io, WK_IO_READ);
	return WK_OK;
}

static void
drop_pending(struct quic_socket *s)
{
	free(s->pending);
	free(s->pending_batch);
	s->pending = NULL;
	s->pending_batch = NULL;
}

void
quic_udp_close(struct quic_socket *s)
{
	if (s->io.fd < 0)
		return;
	wk_io_watch(&s->io, 0);
	close(s->io.fd);
	s->io.fd = -1;
	drop_pending(s);
}

/* --- sending -------------------------------------------------------------- */

static void
add_control(struct msghdr *m, int level, int type, const void *data,
    size_t len)
{
	struct cmsghdr *c = (void *)((uint8_t *)m->msg_control +
	    m->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	m->msg_controllen += CMSG_SPACE(len);
}

static void
add_source(struct msghdr *m, const struct wk_address *local)
{
	const struct sockaddr_in *v4 = (const void *)&local->sa;
	const struct sockaddr_in6 *v6 = (const void *)&local->sa;
	struct in_pktinfo info4 = { 0 };
	struct in6_pktinfo info6 = { 0 };

	if (local->sa.ss_family == AF_INET6) {
		info6.ipi6_addr = v6->sin6_addr;
		info6.ipi6_ifindex = v6->sin6_scope_id;
		add_control(m, IPPROTO_IPV6, IPV6_PKTINFO, &info6,
		    sizeof(info6));
	} else {
		info4.ipi_spec_dst = v4->sin_addr;
		add_control(m, IPPROTO_IP, IP_PKTINFO, &info4, sizeof(info4));
	}
}

static void
describe_message(const struct quic_socket *s, const struct quic_batch *batch,
    struct msghdr *m, union control *control)
{
	int ecn = (int)batch->ecn;

	memset(m, 0, sizeof(*m));
	memset(control, 0, sizeof(*control));
	m->msg_control = control;
	if (!s->is_connected) {
		m->msg_name = wk_unconst(&batch->peer.sa);
		m->msg_namelen = batch->peer.len;
	}
	if (s->is_wildcard && !is_any(&batch->local))
		add_source(m, &batch->local);
	if (ecn != 0 && batch->peer.sa.ss_family == AF_INET6)
		add_control(m, IPPROTO_IPV6, IPV6_TCLASS, &ecn, sizeof(ecn));
	else if (ecn != 0)
		add_control(m, IPPROTO_IP, IP_TOS, &ecn, sizeof(ecn));
	if (m->msg_controllen == 0)
		m->msg_control = NULL;
}

static ssize_t
send_message(int fd, const struct msghdr *m)
{
	ssize_t n;

	do
		n = sendmsg(fd, m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

/* All equal but the last, which may be shorter. */
static bool
is_even(const struct quic_batch *batch)
{
	size_t i;

	for (i = batch->first + 1; i < batch->n; i++)
		if (batch->sizes[i] > batch->sizes[batch->first] ||
		    (batch->sizes[i] < batch->sizes[batch->first] &&
		    i + 1 < batch->n))
			return false;
	return true;
}

static uint8_t *
rest_of(const struct quic_batch *batch, size_t *len)
{
	size_t at = 0, i;

	for (i = 0; i < batch->first; i++)
		at += batch->sizes[i];
	*len = batch->len - at;
	return batch->data + at;
}

/* 0, errno, or -1: not this way. */
static int
send_segmented(struct quic_socket *s, struct quic_batch *batch)
{
	union control control;
	struct msghdr m;
	struct iovec part;

	describe_message(s, batch, &m, &control);
	m.msg_control = &control;
	add_control(&m, IPPROTO_UDP, UDP_SEGMENT, &batch->sizes[batch->first],
	    sizeof(uint16_t));
	part.iov_base = rest_of(batch, &part.iov_len);
	m.msg_iov = &part;
	m.msg_iovlen = 1;
	if (send_message(s->io.fd, &m) >= 0) {
		batch->first = batch->n;
		return 0;
	}
	if (errno == EIO || errno == EINVAL || errno == ENOPROTOOPT ||
	    errno == EOPNOTSUPP) {
		s->has_gso = false;
		return -1;
	}
	return errno == EMSGSIZE ? -1 : errno;
}

static int
send_many(struct quic_socket *s, struct quic_batch *batch)
{
	union control control;
	struct msghdr m;
	size_t i, n = batch->n - batch->first, len;
	uint8_t *at = rest_of(batch, &len);
	int sent;

	describe_message(s, batch, &m, &control);
	for (i = 0; i < n; i++) {
		blocks->out_parts[i].iov_base = at;
		blocks->out_parts[i].iov_len = batch->sizes[batch->first + i];
		at += blocks->out_parts[i].iov_len;
		blocks->out_messages[i].msg_hdr = m;
		blocks->out_messages[i].msg_hdr.msg_iov = &blocks->out_parts[i];
		blocks->out_messages[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(s->io.fd, blocks->out_messages, (unsigned)n, MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EINTR ? 0 : errno;
	batch->first += (size_t)sent;
	return 0;
}

static int
keep_pending(struct quic_socket *s, const struct quic_batch *batch)
{
	size_t len;
	const uint8_t *rest = rest_of(batch, &len);
	size_t i;

	s->pending = malloc(len);
	s->pending_batch = malloc(sizeof(*batch));
	if (s->pending == NULL || s->pending_batch == NULL) {
		drop_pending(s);
		return ENOBUFS;		/* lost, as on any path */
	}
	memcpy(s->pending, rest, len);
	*s->pending_batch = *batch;
	s->pending_batch->data = s->pending;
	s->pending_batch->len = len;
	s->pending_batch->n = batch->n - batch->first;
	s->pending_batch->first = 0;
	for (i = 0; i < s->pending_batch->n; i++)
		s->pending_batch->sizes[i] = batch->sizes[batch->first + i];
	wk_io_watch(&s->io, WK_IO_READ | WK_IO_WRITE);
	return EAGAIN;
}

/* As far as the kernel takes it: 0 or errno. */
static int
send_rest(struct quic_socket *s, struct quic_batch *batch)
{
	int rc, first_rc = 0;

	while (batch->first < batch->n) {
		rc = -1;
		if (s->has_gso && batch->n - batch->first > 1 &&
		    is_even(batch))
			rc = send_segmented(s, batch);
		if (rc == -1)
			rc = send_many(s, batch);
		if (rc == EAGAIN || rc == EWOULDBLOCK)
			return EAGAIN;
		if (rc == 0)
			continue;
		/*
		 * What is wrong with this packet may not be with the next: it
		 * is lost. An error that waited is not about this one at all.
		 */
		if (rc != ECONNREFUSED)
			batch->first++;
		if (first_rc == 0 && rc != EMSGSIZE && rc != ENOBUFS)
			first_rc = rc;
		if (rc != EMSGSIZE && rc != ECONNREFUSED)
			break;
	}
	return first_rc;
}

int
quic_udp_send(struct quic_socket *s, struct quic_batch *batch)
{
	int rc;

	if (batch->first == batch->n)
		return 0;
	rc = send_rest(s, batch);
	return rc == EAGAIN ? keep_pending(s, batch) : rc;
}

int
quic_udp_resume(struct quic_socket *s)
{
	int rc = send_rest(s, s->pending_batch);

	if (rc == EAGAIN)
		return rc;
	drop_pending(s);
	wk_io_watch(&s->io, WK_IO_READ);
	return rc;
}

/* --- receiving ------------------------------------------------------------ */

static void
read_control(struct msghdr *m, struct quic_datagram *d, size_t *segment)
{
	struct sockaddr_in *v4 = (void *)&d->local.sa;
	struct sockaddr_in6 *v6 = (void *)&d->local.sa;
	struct in6_pktinfo info6;
	struct in_pktinfo info4;
	struct cmsghdr *c;
	uint8_t tos;
	int value;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
			memcpy(&tos, CMSG_DATA(c), sizeof(tos));
			d->ecn = tos & NGTCP2_ECN_MASK;
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_TCLASS) {
			memcpy(&value, CMSG_DATA(c), sizeof(value));
			d->ecn = (uint8_t)(value & NGTCP2_ECN_MASK);
		} else if (c->cmsg_level == IPPROTO_IP &&
		    c->cmsg_type == IP_PKTINFO) {
			memcpy(&info4, CMSG_DATA(c), sizeof(info4));
			v4->sin_addr = info4.ipi_spec_dst;
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(c), sizeof(info6));
			v6->sin6_addr = info6.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&info6.ipi6_addr))
				v6->sin6_scope_id = info6.ipi6_ifindex;
		} else if (c->cmsg_level == IPPROTO_UDP &&
		    c->cmsg_type == UDP_GRO) {
			memcpy(&value, CMSG_DATA(c), sizeof(value));
			if (value > 0)
				*segment = (size_t)value;
		}
	}
}

static bool
take_message(struct quic_socket *s, unsigned i,
    bool (*take)(struct quic_datagram *datagram))
{
	struct msghdr *m = &blocks->messages[i].msg_hdr;
	size_t len = blocks->messages[i].msg_len, segment = len, n;
	struct quic_datagram d = { .socket = s, .local = s->local };
	uint8_t *at = blocks->in[i];

	if ((m->msg_flags & MSG_TRUNC) != 0)
		return true;
	if (!s->is_connected) {
		d.peer = blocks->peers[i];
		d.peer.len = m->msg_namelen;
	}
	read_control(m, &d, &segment);
	for (; len > 0; at += n, len -= n) {
		n = len < segment ? len : segment;
		d.data = at;
		d.len = n;
		if (!take(&d))
			return false;
	}
	return true;
}

int
quic_udp_receive(struct quic_socket *s,
    bool (*take)(struct quic_datagram *datagram))
{
	struct blocks *b = blocks;
	unsigned i;
	int n;

	for (i = 0; i < QUIC_BATCH_MAX; i++) {
		b->parts[i].iov_base = b->in[i];
		b->parts[i].iov_len = SLOT_OCTETS;
		b->messages[i].msg_hdr = (struct msghdr){
			.msg_iov = &b->parts[i],
			.msg_iovlen = 1,
			.msg_name = s->is_connected ? NULL : &b->peers[i].sa,
			.msg_namelen = s->is_connected ? 0 :
			    sizeof(b->peers[i].sa),
			.msg_control = &b->controls[i],
			.msg_controllen = sizeof(b->controls[i]),
		};
	}
	n = recvmmsg(s->io.fd, b->messages, QUIC_BATCH_MAX, MSG_DONTWAIT,
	    NULL);
	if (n < 0)
		return errno == EINTR ? EAGAIN : errno;
	for (i = 0; i < (unsigned)n; i++)
		if (!take_message(s, i, take))
			break;
	return 0;
}
