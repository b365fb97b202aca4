/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cli/diag.h"
#include "common/cli/json.h"

static const struct {
	const char *name, *text;
} fates[TALLY_N_FATES] = {
	[TALLY_ANSWERED] = { "answered", "answered" },
	[TALLY_IGNORED] = { "ignored", "ignored by a rule" },
	[TALLY_UNMATCHED] = { "unmatched", "matched by no rule" },
	[TALLY_RESET] = { "resets", "resets themselves" },
	[TALLY_LIMITED] = { "rate_limited", "over the rate" },
	[TALLY_UNANSWERABLE] = { "unanswerable",
	    "cut, fragmented or malformed" },
	[TALLY_NO_HOST] = { "no_host", "to or from no single host, or not for this one" },
	[TALLY_NOT_SENT] = { "not_sent", "answers that could not be sent" },
};

uint64_t
tally_error(struct tally *t, int errnum)
{
	size_t i;

	for (i = 0; i < t->n_errors; i++)
		if (t->error[i].errnum == errnum)
			return ++t->error[i].n;
	if (t->n_errors == TALLY_ERRORS_MAX)
		return 0;
	t->error[t->n_errors].errnum = errnum;
	t->error[t->n_errors++].n = 1;
	return 1;
}

void
tally_write_text(const struct tally *t)
{
	size_t i;

	wk_notice("%" PRIu64 " %s seen, %" PRIu64 " answered", t->seen,
	    t->seen == 1 ? "segment" : "segments", t->fate[TALLY_ANSWERED]);
	for (i = TALLY_ANSWERED + 1; i < TALLY_N_FATES; i++)
		if (t->fate[i] > 0)
			wk_notice("%" PRIu64 " %s", t->fate[i], fates[i].text);
	for (i = 0; i < t->n_errors; i++)
		wk_notice("%" PRIu64 " of those: %s", t->error[i].n,
		    strerror(t->error[i].errnum));
	if (t->bad_checksums > 0)
		wk_notice("%" PRIu64 " with a TCP checksum that was wrong or "
		    "not filled in yet", t->bad_checksums);
	if (t->dropped > 0)
		wk_notice("%" PRIu64 " dropped by the kernel before they were "
		    "seen", t->dropped);
	if (t->failed_reloads > 0)
		wk_notice("%" PRIu64 " of %" PRIu64 " attempts to read the "
		    "rules again failed", t->failed_reloads,
		    t->reloads + t->failed_reloads);
}

void
tally_write_json(const struct tally *t, const char *event, uint64_t sent,
    uint64_t octets)
{
	const char *name;
	size_t i;

	wk_json_begin(event);
	wk_json_str("mode", "answer");
	wk_json_uint("seen", t->seen);
	for (i = 0; i < TALLY_N_FATES; i++)
		wk_json_uint(fates[i].name, t->fate[i]);
	wk_json_uint("bad_checksums", t->bad_checksums);
	wk_json_uint("dropped_by_kernel", t->dropped);
	wk_json_uint("reloads", t->reloads);
	wk_json_uint("failed_reloads", t->failed_reloads);
	wk_json_object("send_errors");
	for (i = 0; i < t->n_errors; i++) {
		name = strerrorname_np(t->error[i].errnum);
		wk_json_uint(name == NULL ? "unknown" : name, t->error[i].n);
	}
	wk_json_object_end();
	wk_json_uint("sent", sent);
	wk_json_uint("octets", octets);
	wk_json_end();
}
