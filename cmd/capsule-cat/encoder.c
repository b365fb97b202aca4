/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/encoder.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "cmd/capsule-cat/value.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"

#define GREASE_EVERY 16		/* capsules, at most */
#define GREASE_OCTETS 16	/* of a value, at most */

int
encoder_init(struct encoder *e, const struct options *opt)
{
	memset(e, 0, sizeof(*e));
	e->opt = opt;
	wk_buf_init(&e->out, SIZE_MAX);
	record_init(&e->record, (size_t)opt->max_value);
	if (!opt->greases)
		return WK_OK;
	return getrandom(&e->random, sizeof(e->random), 0) ==
	    (ssize_t)sizeof(e->random) ? WK_OK : WK_E_SYSTEM;
}

void
encoder_free(struct encoder *e)
{
	wk_framing_reader_free(&e->reader);
	record_free(&e->record);
	wk_buf_free(&e->out);
}

/* Records of capsules are lines to the framing, and ours to read. */
void
encoder_begin(struct encoder *e, const char *name)
{
	enum wk_framing framing = (enum wk_framing)e->opt->framing;
	size_t max = (size_t)(framing == WK_FRAMING_RAW ? e->opt->block_size :
	    e->opt->max_value);

	e->name = name;
	wk_framing_reader_free(&e->reader);
	if (framing == WK_FRAMING_NDJSON)
		wk_framing_reader_init(&e->reader, WK_FRAMING_LINE,
		    record_line_max(max));
	else
		wk_framing_reader_init(&e->reader, framing, max);
}

static void
note_failure(struct encoder *e, int rc)
{
	if (e->rc == WK_EXIT_OK)
		e->rc = rc;
	e->has_failed = e->opt->is_strict || rc == WK_EXIT_SYSTEM;
}

static void
tell(struct encoder *e)
{
	wk_framing_warn(e->name, &e->reader);
	note_failure(e, e->reader.error.status == WK_E_NOMEM ?
	    WK_EXIT_SYSTEM : WK_EXIT_PROTOCOL);
}

/* --- making capsules ------------------------------------------------------ */

static void
append_capsule(struct encoder *e, struct wk_capsule *cap,
    const struct wk_datagram *d, const uint8_t *value, size_t len)
{
	uint8_t header[WK_CAPSULE_HEADER_MAX], id[WK_VARINT_OCTETS_MAX];
	size_t n = d == NULL ? 0 : wk_datagram_header(id, d);

	cap->length = n + len;
	wk_buf_append(&e->out, header, wk_capsule_header(header, cap));
	wk_buf_append(&e->out, id, n);
	wk_buf_append(&e->out, value, len);
}

/* splitmix64: good enough to keep receivers from relying on anything. */
static uint64_t
next_random(struct encoder *e)
{
	uint64_t z = e->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Sometimes a capsule that everybody must ignore; always before the first. */
static void
maybe_grease(struct encoder *e)
{
	uint8_t value[GREASE_OCTETS];
	struct wk_capsule cap = { .length = 0 };
	size_t len, i;

	if (!e->opt->greases || e->until_grease-- > 0)
		return;
	e->until_grease = next_random(e) % GREASE_EVERY;
	/* Shifted, so that types of all sizes are as likely. */
	cap.type = wk_capsule_type_grease(next_random(e) >>
	    next_random(e) % 64);
	len = next_random(e) % (GREASE_OCTETS + 1);
	for (i = 0; i < len; i++)
		value[i] = (uint8_t)next_random(e);
	append_capsule(e, &cap, NULL, value, len);
}

/* With --strict, is the capsule that begins at this point as it should be? */
static bool
is_allowed(struct encoder *e, const struct wk_capsule *cap, size_t begin)
{
	size_t head = e->out.len - begin - (size_t)cap->length;
	struct wk_error why;
	struct value v;

	if (!e->opt->is_strict || e->out.status != WK_OK)
		return true;
	value_init(&v, cap, e->out.data + begin + head, (size_t)cap->length,
	    !e->opt->has_no_context);
	if (value_check(&v, &why) == WK_OK)
		return true;
	wk_error_set(&e->reader.error, why.status,
	    wk_framing_is_text(e->reader.framing) ? e->reader.place :
	    e->reader.begin, "malformed %s: octet %" PRIu64 " of the value: %s",
	    wk_capsule_type_name(v.type, e->opt->reading), why.offset,
	    why.reason);
	return false;
}

static void
put(struct encoder *e, struct wk_capsule *cap, const struct wk_datagram *d,
    const uint8_t *value, size_t len)
{
	size_t begin;

	maybe_grease(e);
	begin = e->out.len;
	append_capsule(e, cap, d, value, len);
	if (!is_allowed(e, cap, begin)) {
		e->out.len = begin;
		tell(e);
	}
	if (e->out.status == WK_OK)
		return;
	wk_warn("out of memory");
	note_failure(e, WK_EXIT_SYSTEM);
}

/* A datagram of the framing, or of a record that says no more. */
static void
put_datagram(struct encoder *e, const struct wk_framing_datagram *from,
    uint64_t type)
{
	struct wk_capsule cap = { .type = type };
	struct wk_datagram d = {
		.context_id = from->has_context ? from->context_id :
		    e->opt->context_id == OPTIONS_NO_CONTEXT ? 0 :
		    e->opt->context_id,
	};
	bool has_id = !e->opt->has_no_context &&
	    value_starts_with_context(type);

	put(e, &cap, has_id ? &d : NULL, from->data, from->len);
}

static void
put_record(struct encoder *e, const struct wk_framing_datagram *line)
{
	struct record *r = &e->record;
	uint64_t number = e->reader.place;
	int rc;

	rc = record_parse(r, line->data, line->len, e->opt->reading,
	    e->opt->type, &e->reader.error);
	if (rc != WK_OK) {
		e->reader.error.offset = number;
		tell(e);
	} else if (r->kind == RECORD_CAPSULE) {
		put(e, &r->cap, NULL, r->value.data, r->value.len);
	} else if (r->kind == RECORD_DATAGRAM) {
		put_datagram(e, &r->datagram, r->cap.type);
	}
}

/* --- input ---------------------------------------------------------------- */

static void
take(struct encoder *e, int event, const struct wk_framing_datagram *d)
{
	if (event < 0)
		tell(e);
	else if (e->opt->framing == WK_FRAMING_NDJSON)
		put_record(e, d);
	else
		put_datagram(e, d, e->opt->type);
}

void
encoder_feed(struct encoder *e, const uint8_t *data, size_t len)
{
	struct wk_framing_datagram d;
	int event;

	while (!e->has_failed && (event = wk_framing_read(&e->reader, &data,
	    &len, &d)) != WK_FRAMING_MORE)
		take(e, event, &d);
}

void
encoder_end(struct encoder *e)
{
	struct wk_framing_datagram d;
	int event;

	while (!e->has_failed && (event = wk_framing_finish(&e->reader,
	    &d)) != WK_FRAMING_MORE)
		take(e, event, &d);
}
