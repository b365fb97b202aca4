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

static int
hold_start(struct decoder *d)
{
	d->value = NULL;
	wk_buf_clear(&d->held);
	return WK_EXIT_OK;
}

/* Nearly always it is all in one piece, and stays where it is. */
static int
hold_piece(struct decoder *d, const struct wk_capsule *cap)
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
tell_malformed(const struct decoder *d, const struct wk_error *inner)
{
	const struct wk_capsule *cap = &d->cap;
	struct wk_error error;

	wk_error_set(&error, inner->status, cap->offset + cap->type_octets +
	    cap->length_octets + inner->offset, "malformed %s: %s",
	    wk_capsule_type_name(wk_capsule_type_find(cap->type),
	    d->show.reading), inner->reason);
	wk_warn_input(d->name, &error);
	return WK_EXIT_PROTOCOL;
}

static int
record_end(struct decoder *d, bool is_whole)
{
	struct wk_error error;
	struct value v;

	(void)is_whole;
	held_value(d, &v);
	if ((wk_cli.is_json ? show_json : show_text)(&d->show, &v) != WK_OK)
		return out_of_memory();
	if (d->opt->is_strict && value_check(&v, &error) != WK_OK)
		return tell_malformed(d, &error);
	return WK_EXIT_OK;
}

static const struct decoder_sink record_sink = {
	hold_start, hold_piece, record_end,
};

/* --- values as they come -------------------------------------------------- */

static int
raw_start(struct decoder *d)
{
	struct value v;

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
	raw_start, raw_piece, raw_end,
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
	d->sink = opt->is_raw ? &raw_sink : &record_sink;
	d->show.file = names_records ? name : NULL;
	d->show.reading = opt->reading;
	d->show.max_octets = wk_cli.verbose > 0 ? SIZE_MAX : TEXT_OCTETS;
}

void
decoder_free(struct decoder *d)
{
	wk_buf_free(&d->held);
}

static int
start(struct decoder *d, const struct wk_capsule *cap)
{
	d->n_capsules++;
	d->is_inside = true;
	d->is_wanted = filter_passes(&d->opt->filter, cap->type);
	if (!d->is_wanted)
		return WK_EXIT_OK;
	d->n_shown++;
	d->cap = *cap;
	return d->sink->start(d);
}

static int
end(struct decoder *d)
{
	d->is_inside = false;
	return d->is_wanted ? d->sink->end(d, true) : WK_EXIT_OK;
}

int
decoder_feed(struct decoder *d, const uint8_t *data, size_t len)
{
	struct wk_capsule cap;
	int event, rc = WK_EXIT_OK;

	while (rc == WK_EXIT_OK &&
	    (event = wk_capsule_read(&d->reader, &data, &len, &cap)) > 0) {
		if (event == WK_CAPSULE_START)
			rc = start(d, &cap);
		else if (event == WK_CAPSULE_DATA && d->is_wanted)
			rc = d->sink->piece(d, &cap);
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
