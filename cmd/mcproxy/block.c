/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define FREE_BLOCKS_MAX 16
#define IOV_COUNT 64

static struct block *
block_new(struct store *s, size_t size)
{
	struct block *b;

	if (size == BLOCK_SIZE && s->free_blocks != NULL) {
		b = s->free_blocks;
		s->free_blocks = b->next;
		s->n_free--;
	} else {
		b = malloc(sizeof(*b) + size);
		if (b == NULL)
			return NULL;
	}
	b->next = NULL;
	b->refs = 1;
	b->size = (uint32_t)size;
	b->used = 0;
	s->bytes += size;
	return b;
}

void
block_unref(struct store *s, struct block *b)
{
	if (b == NULL || --b->refs > 0)
		return;
	s->bytes -= b->size;
	if (b->size != BLOCK_SIZE || s->n_free == FREE_BLOCKS_MAX) {
		free(b);
		return;
	}
	b->next = s->free_blocks;
	s->free_blocks = b;
	s->n_free++;
}

/* *b with need octets free; what nobody refers to is filled again. */
static bool
make_room(struct store *s, struct block **b, size_t need)
{
	if (*b != NULL && (*b)->refs == 1)
		(*b)->used = 0;
	if (*b != NULL && (*b)->size - (*b)->used >= need)
		return true;
	block_unref(s, *b);
	*b = block_new(s, need > BLOCK_SIZE ? need : BLOCK_SIZE);
	return *b != NULL;
}

void
store_free(struct store *s)
{
	struct block *b, *next_block;
	struct slice *l, *next_slice;

	block_unref(s, s->in);
	block_unref(s, s->out);
	for (b = s->free_blocks; b != NULL; b = next_block) {
		next_block = b->next;
		free(b);
	}
	for (l = s->free_slices; l != NULL; l = next_slice) {
		next_slice = l->next;
		free(l);
	}
	memset(s, 0, sizeof(*s));
}

struct block *
store_read_block(struct store *s, size_t need)
{
	return make_room(s, &s->in, need) ? s->in : NULL;
}

/* --- chains --------------------------------------------------------------- */

static struct slice *
slice_new(struct store *s)
{
	struct slice *l = s->free_slices;

	if (l == NULL)
		return malloc(sizeof(*l));
	s->free_slices = l->next;
	return l;
}

static void
slice_del(struct store *s, struct slice *l)
{
	block_unref(s, l->block);
	l->next = s->free_slices;
	s->free_slices = l;
}

bool
chain_share(struct store *s, struct chain *c, struct block *b, const char *at,
    size_t len)
{
	struct slice *l = c->tail;

	if (len == 0)
		return true;
	if (l != NULL && !l->is_cut && l->block == b && l->at + l->len == at) {
		l->len += len;
		c->bytes += len;
		return true;
	}
	l = slice_new(s);
	if (l == NULL)
		return false;
	block_ref(b);
	*l = (struct slice) { .block = b, .at = at, .len = len };
	if (c->tail == NULL)
		c->head = l;
	else
		c->tail->next = l;
	c->tail = l;
	c->bytes += len;
	return true;
}

bool
chain_copy(struct store *s, struct chain *c, struct block **out,
    const void *data, size_t len)
{
	struct block **b = out != NULL ? out : &s->out;
	char *at;

	if (len == 0)
		return true;
	if (!make_room(s, b, len))
		return false;
	at = (*b)->data + (*b)->used;
	memcpy(at, data, len);
	(*b)->used += (uint32_t)len;
	return chain_share(s, c, *b, at, len);
}

/* The block at the end, if only this chain has it and len octets fit. */
static struct block *
own_tail(const struct store *s, const struct chain *c, size_t len)
{
	struct block *b = c->tail == NULL ? NULL : c->tail->block;

	if (b == NULL || b == s->in || b == s->out || b->refs != 1 ||
	    b->size - b->used < len ||
	    c->tail->at + c->tail->len != b->data + b->used)
		return NULL;
	return b;
}

bool
chain_gather(struct store *s, struct chain *c, struct block *b, const char *at,
    size_t len, uint64_t left)
{
	struct block *own;
	size_t size;
	char *to;
	bool ok;

	if (len > CHAIN_COPY_MAX || (left == 0 && c->bytes == 0))
		return chain_share(s, c, b, at, len);
	own = own_tail(s, c, len);
	if (own != NULL) {
		block_ref(own);
	} else {
		/* No more than announced, and no more than what is a block. */
		size = len + (left > 2 * CHAIN_COPY_MAX ?
		    (size_t)2 * CHAIN_COPY_MAX : (size_t)left);
		own = block_new(s, size);
		if (own == NULL)
			return false;
	}
	to = own->data + own->used;
	memcpy(to, at, len);
	own->used += (uint32_t)len;
	ok = chain_share(s, c, own, to, len);
	block_unref(s, own);
	return ok;
}

bool
chain_append(struct store *s, struct chain *c, struct block **out,
    const struct chain *from)
{
	const struct slice *l;

	for (l = from->head; l != NULL; l = l->next)
		if (l->len <= CHAIN_COPY_MAX ?
		    !chain_copy(s, c, out, l->at, l->len) :
		    !chain_share(s, c, l->block, l->at, l->len))
			return false;
	return true;
}

void
chain_clear(struct store *s, struct chain *c)
{
	struct slice *l, *next;

	for (l = c->head; l != NULL; l = next) {
		next = l->next;
		slice_del(s, l);
	}
	*c = (struct chain) { .head = NULL };
}

void
chain_cut(struct chain *c)
{
	if (c->tail != NULL)
		c->tail->is_cut = true;
}

size_t
chain_peek(const struct chain *c, char *out, size_t len)
{
	const struct slice *l;
	size_t n, done = 0;

	for (l = c->head; l != NULL && done < len; l = l->next) {
		n = l->len < len - done ? l->len : len - done;
		memcpy(out + done, l->at, n);
		done += n;
		if (l->is_cut)
			break;
	}
	return done;
}

void
chain_drop(struct store *s, struct chain *c, size_t n)
{
	struct slice *l;

	c->bytes -= n;
	while (n > 0 && (l = c->head) != NULL) {
		if (n < l->len) {
			l->at += n;
			l->len -= n;
			return;
		}
		n -= l->len;
		c->head = l->next;
		if (c->head == NULL)
			c->tail = NULL;
		slice_del(s, l);
	}
}

int
chain_write(struct store *s, struct chain *c, int fd, uint64_t *written)
{
	struct iovec v[IOV_COUNT];
	struct msghdr m = { .msg_iov = v };
	const struct slice *l;
	size_t n, total;
	ssize_t done;

	while (c->head != NULL) {
		for (n = 0, total = 0, l = c->head; l != NULL && n < IOV_COUNT;
		    l = l->next, n++) {
			v[n].iov_base = (void *)l->at;
			v[n].iov_len = l->len;
			total += l->len;
		}
		m.msg_iovlen = n;
		done = sendmsg(fd, &m, MSG_NOSIGNAL);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 1 : -1;
		*written += (uint64_t)done;
		chain_drop(s, c, (size_t)done);
		if ((size_t)done < total)
			return 1;
	}
	return 0;
}
