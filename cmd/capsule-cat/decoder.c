/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/decoder.h"

#include <string.h>

#include "cmd/capsule-cat/value.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"

#define TEXT_OCTETS 64		/* shown of a field, without -v */

/* What becomes of a capsule that is wanted. The functions give exit codes. */
struct decoder_sink {
	bool needs_value;	/* held until the end */
	int (*start)(struct decoder *d);
	int (*piece)(struct decoder *d, const struct wk_capsule *cap);
	int (*end)(struct decoder *d, bool is_whole);
};

static int
out_of_memory(void)
{
	wk_warn("out of memory");
	return WK_EXIT_SYSTEM;
}

/* --- whole records, from what is held of the value ------------------------ */

/* Nearly always it is all in one piece, and stays where it is. */
static int
hold(struct decoder *d, const struct wk_capsule *cap)
{
	size_t room = d->held.max - d->held.len;

	if (cap->data_len == cap->length && cap->length <= d->held.max) {
		d->value = cap->data;
		return WK_EXIT_OK;
	}
	if (wk_buf_append(&d->held, cap->data,
	    cap->data_len < room ? cap->data_len : room) != WK_OK)
		return out_of_memory();
	return WK_EXIT_OK;
}

static void
held_value(const struct decoder *d, struct value *v)
{
	if (d->value != NULL)
		value_init(v, &d->cap, d->value, (size_t)d->cap.length,
		    !d->opt->has_no_context);
	else
		value_init(v, &d->cap, d->held.data, d->held.len,
		    !d->opt->has_no_context);
}

static int
no_start(struct decoder *d)
{
	(void)d;
	return WK_EXIT_OK;
}

static int
no_piece(struct decoder *d, const struct wk_capsule *cap)
{
	(void)d;
	(void)cap;
	return WK_EXIT_OK;
}

static int
record_end(struct decoder *d, bool is_whole)
{
	struct value v;

	(void)is_whole;
	held_value(d, &v);
	if (d->opt->context_id != OPTIONS_NO_CONTEXT && !(v.has_context &&
	    options_want_context(d->opt, v.datagram.context_id)))
		return WK_EXIT_OK;
	d->n_shown++;
	if ((wk_cli.is_json ? show_json : show_text)(&d->show, &v) != WK_OK)
		return out_of_memory();
	return WK_EXIT_OK;
}

static const struct decoder_sink record_sink = {
	true, no_start, no_piece, record_end,
};

/* --- values as they come -------------------------------------------------- */

static int
raw_start(struct decoder *d)
{
	struct value v;

	d->n_shown++;
	value_init(&v, &d->cap, NULL, 0, false);
	(wk_cli.is_json ? show_json_begin : show_text_begin)(&d->show, &v);
	return WK_EXIT_OK;
}

static int
raw_piece(struct decoder *d, const struct wk_capsule *cap)
{
	(void)d;
	(wk_cli.is_json ? show_json_piece : show_text_piece)(cap->data,
	    cap->data_len);
	return WK_EXIT_OK;
}

static int
raw_end(struct decoder *d, bool is_whole)
{
	(void)d;
	(wk_cli.is_json ? show_json_end : show_text_end)(is_whole);
	return WK_EXIT_OK;
}

static const struct decoder_sink raw_sink = {
	false, raw_start, raw_piece, raw_end,
};

/* --- payloads alone ------------------------------------------------------- */

static int
start_payload(struct decoder *d)
{
	return payload_start(&d->payload, &d->cap);
}

static int
piece_of_payload(struct decoder *d, const struct wk_capsule *cap)
{
	return payload_piece(&d->payload, cap);
}

static int
end_payload(struct decoder *d, bool is_whole)
{
	d->n_shown += payload_end(&d->payload, &d->cap, is_whole);
	return WK_EXIT_OK;
}

static const struct decoder_sink payload_sink = {
	false, start_payload, piece_of_payload, end_payload,
};

/* --- the stream ----------------------------------------------------------- */

void
decoder_init(struct decoder *d, const struct options *opt, const char *name,
    bool names_records)
{
	memset(d, 0, sizeof(*d));
	d->opt = opt;
	d->name = name;
	wk_capsule_reader_init(&d->reader, WK_VARINT_MAX);
	wk_buf_init(&d->held, (size_t)opt->max_value);
	d->sink = opt->is_payload ? &payload_sink :
	    opt->is_raw ? &raw_sink : &record_sink;
	d->holds = d->sink->needs_value || opt->is_strict;
	payload_init(&d->payload, opt, name);
	d->show.file = names_records ? name : NULL;
	d->show.reading = opt->reading;
	d->show.max_octets = wk_cli.verbose > 0 ? SIZE_MAX : TEXT_OCTETS;
}

void
decoder_free(struct decoder *d)
{
	wk_buf_free(&d->held);
}

/* With --strict: is the value what its type asks for? */
static int
judge(const struct decoder *d)
{
	const struct wk_capsule *cap = &d->cap;
	struct wk_error inner, error;
	struct value v;

	held_value(d, &v);
	if (value_check(&v, &inner) == WK_OK)
		return WK_EXIT_OK;
	wk_error_set(&error, inner.status, cap->offset + cap->type_octets +
	    cap->length_octets + inner.offset, "malformed %s: %s",
	    wk_capsule_type_name(v.type, d->show.reading), inner.reason);
	wk_warn_input(d->name, &error);
	return WK_EXIT_PROTOCOL;
}

static int
start(struct decoder *d, const struct wk_capsule *cap)
{
	d->n_capsules++;
	d->is_inside = true;
	d->is_wanted = filter_passes(&d->opt->filter, cap->type);
	if (!d->is_wanted)
		return WK_EXIT_OK;
	d->cap = *cap;
	d->value = NULL;
	if (d->holds)
		wk_buf_clear(&d->held);
	return d->sink->start(d);
}

static int
piece(struct decoder *d, const struct wk_capsule *cap)
{
	int rc = d->holds ? hold(d, cap) : WK_EXIT_OK;

	return rc == WK_EXIT_OK ? d->sink->piece(d, cap) : rc;
}

static int
end(struct decoder *d)
{
	int rc;

	d->is_inside = false;
	if (!d->is_wanted)
		return WK_EXIT_OK;
	rc = d->sink->end(d, true);
	return rc == WK_EXIT_OK && d->opt->is_strict ? judge(d) : rc;
}

bool
decoder_has_enough(const struct decoder *d)
{
	return d->max_shown > 0 && d->n_shown >= d->max_shown && !d->is_inside;
}

int
decoder_feed(struct decoder *d, const uint8_t *data, size_t len)
{
	struct wk_capsule cap;
	int event, rc = WK_EXIT_OK;

	while (rc == WK_EXIT_OK && !decoder_has_enough(d) &&
	    (event = wk_capsule_read(&d->reader, &data, &len, &cap)) > 0) {
		if (event == WK_CAPSULE_START)
			rc = start(d, &cap);
		else if (event == WK_CAPSULE_DATA && d->is_wanted)
			rc = piece(d, &cap);
		else if (event == WK_CAPSULE_END)
			rc = end(d);
	}
	return rc;
}

int
decoder_finish(struct decoder *d, bool is_end)
{
	int rc = WK_EXIT_OK;

	if (d->is_inside && d->is_wanted)
		rc = d->sink->end(d, false);
	if (is_end && wk_capsule_reader_finish(&d->reader) != WK_OK) {
		wk_warn_input(d->name, &d->reader.error);
		rc = WK_EXIT_PROTOCOL;
	}
	wk_verbose(1, "%s: %llu capsules, %llu shown, %llu octets", d->name,
	    (unsigned long long)d->n_capsules, (unsigned long long)d->n_shown,
	    (unsigned long long)d->reader.offset);
	return rc;
}
