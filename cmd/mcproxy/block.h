/* SPDX-License-Identifier: MIT */
/*
 * Octets on their way through a worker. A block is filled once, front to back,
 * by whoever reads or writes at the moment; chains are lists of slices of
 * blocks, so that a value is forwarded from the block it was read into. Small
 * slices are copied together instead, which costs less than a vector entry.
 * Everything belongs to one thread; blocks and slices are reused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_SIZE ((size_t)65536 - 32)
#define CHAIN_COPY_MAX 2048	/* shorter slices are copied */

struct block {
	struct block *next;	/* in the list of free ones */
	uint32_t refs, size, used;
	char data[];
};

struct slice {
	struct slice *next;
	struct block *block;	/* holds a reference */
	const char *at;
	size_t len;
	bool is_cut;		/* nothing joins it; chain_peek() ends here */
};

struct chain {
	struct slice *head, *tail;
	size_t bytes;
};

struct store {			/* of a worker; fields are private */
	struct block *free_blocks, *in, *out;
	struct slice *free_slices;
	size_t n_free;
	size_t bytes;		/* of all blocks in use: for limits */
};

/* Give back what is not in use. */
void store_free(struct store *s);

/* The block to read into: at least need octets are free behind used. */
struct block *store_read_block(struct store *s, size_t need);

static inline void
block_ref(struct block *b)
{
	b->refs++;
}
void block_unref(struct store *s, struct block *b);

/* A slice of a block joins the chain, by reference. */
bool chain_share(struct store *s, struct chain *c, struct block *b,
    const char *at, size_t len);

/*
 * Copied to the end, into *out (a block of the caller's that is reused when
 * nothing refers to it), or the store's common one if out is NULL.
 */
bool chain_copy(struct store *s, struct chain *c, struct block **out,
    const void *data, size_t len);

/*
 * A piece of something long that arrives slowly: large pieces are shared,
 * small ones copied into a block of the chain's own. left is what is to come.
 */
bool chain_gather(struct store *s, struct chain *c, struct block *b,
    const char *at, size_t len, uint64_t left);

/* All of from to the end of c: copied where small, else by reference. */
bool chain_append(struct store *s, struct chain *c, struct block **out,
    const struct chain *from);

/* What follows is to be a piece of its own. */
void chain_cut(struct chain *c);
/* Up to len octets from the front, up to a cut; they stay there: how many. */
size_t chain_peek(const struct chain *c, char *out, size_t len);
/* The first n octets are gone. */
void chain_drop(struct store *s, struct chain *c, size_t n);

void chain_clear(struct store *s, struct chain *c);

/*
 * Write as much as the socket takes. 0: all gone; 1: the socket is full; -1:
 * errno says why. *written grows.
 */
int chain_write(struct store *s, struct chain *c, int fd, uint64_t *written);
