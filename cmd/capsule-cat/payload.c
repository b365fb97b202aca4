/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/payload.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cmd/capsule-cat/value.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/out.h"

void
payload_init(struct payload *p, const struct options *opt, const char *name)
{
	memset(p, 0, sizeof(*p));
	p->opt = opt;
	p->name = name;
	wk_framing_writer_init(&p->writer, (enum wk_framing)opt->framing,
	    isatty(wk_out_fd()) == 1);
}

static int
begin(struct payload *p, const struct wk_capsule *cap, uint64_t length,
    const uint64_t *context_id)
{
	struct wk_framing_datagram d = { .has_context = context_id != NULL };
	struct wk_error error;

	if (context_id != NULL)
		d.context_id = *context_id;
	p->is_begun = wk_framing_write_begin(&p->writer, &d, length) == WK_OK;
	if (p->is_begun)
		return WK_EXIT_OK;
	wk_error_set(&error, WK_E_LIMIT, cap->offset,
	    "payload of %" PRIu64 " octets, more than framing %s can tell",
	    length, wk_framing_names[p->writer.framing]);
	wk_warn_input(p->name, &error);
	return WK_EXIT_PROTOCOL;
}

int
payload_start(struct payload *p, const struct wk_capsule *cap)
{
	p->is_begun = false;
	p->needs_context = !p->opt->has_no_context &&
	    value_starts_with_context(cap->type);
	memset(&p->num, 0, sizeof(p->num));
	/* Asked for a context, only datagrams are wanted. */
	if (p->needs_context || p->opt->context_id != OPTIONS_NO_CONTEXT)
		return WK_EXIT_OK;
	return begin(p, cap, cap->length, NULL);
}

/* The piece behind the context id, which may be in several pieces. */
static int
take_context(struct payload *p, const struct wk_capsule *cap,
    const uint8_t **data, size_t *len)
{
	uint64_t context_id;
	size_t octets;

	octets = wk_varint_read(&p->num, data, len, &context_id);
	if (octets == 0)
		return WK_EXIT_OK;
	p->needs_context = false;
	if (!options_want_context(p->opt, context_id))
		return WK_EXIT_OK;
	return begin(p, cap, cap->length - octets, &context_id);
}

int
payload_piece(struct payload *p, const struct wk_capsule *cap)
{
	const uint8_t *data = cap->data;
	size_t len = cap->data_len;
	int rc = WK_EXIT_OK;

	if (p->needs_context)
		rc = take_context(p, cap, &data, &len);
	if (p->is_begun)
		wk_framing_write_piece(&p->writer, data, len);
	return rc;
}

bool
payload_end(struct payload *p, const struct wk_capsule *cap, bool is_whole)
{
	/* A datagram without any octet has neither an id nor a payload. */
	if (p->needs_context && cap->length == 0 &&
	    p->opt->context_id == OPTIONS_NO_CONTEXT)
		begin(p, cap, 0, NULL);
	else if (p->needs_context && is_whole && cap->length > 0)
		wk_caution("%s: byte %" PRIu64 ": datagram ends inside its "
		    "context id, left out", p->name, cap->offset);
	if (!p->is_begun)
		return false;
	wk_framing_write_end(&p->writer);
	p->is_begun = false;
	return true;
}
