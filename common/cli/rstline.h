/* SPDX-License-Identifier: MIT */
/*
 * How a reset is shown, in the sniffer and in the sender's echo alike: one
 * record, three writers (a text line, NDJSON, chosen fields). What the payload
 * says is what the sender claims, and is shown as such.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/wire/rstdiag.h"
#include "common/wire/segment.h"

enum wk_time_style {		/* tcpdump's -t, once to five times */
	WK_TIME_CLOCK,		/* 12:00:00.123456 */
	WK_TIME_NONE,
	WK_TIME_EPOCH,		/* 1700000000.123456 */
	WK_TIME_DELTA,		/* since the record before */
	WK_TIME_DATE,		/* 2026-03-01 12:00:00.123456 */
	WK_TIME_SINCE_FIRST,
};

#define WK_RST_NOTES_MAX 8

struct wk_rst_record {
	uint64_t wall_ns;
	const struct wk_segment *segment;
	const struct wk_rstdiag *diag;
	bool is_sent;			/* we made it: "sent", not "rst" */
	size_t n_notes;			/* why it looks suspicious */
	const char *notes[WK_RST_NOTES_MAX];
};

struct wk_rst_style {
	int registry;		/* enum wk_rstdiag_registry, -1: by format */
	int time;		/* enum wk_time_style */
	int digits;		/* of the second's fraction: 6 or 9 */
	bool is_colored;	/* wk_color_on(STDOUT_FILENO) */
	unsigned detail;	/* 0 the line; 1 adds header facts; 2 all hex */
	uint64_t previous_ns, first_ns;	/* kept by the writers */
};

/* One text line, "12:00:00.123456 IP 198.51.100.20.443 > …". */
void wk_rst_write_text(struct wk_rst_style *style,
    const struct wk_rst_record *r);

/* The time stamp alone, in the style's form, for lines of other events. */
void wk_rst_write_time(struct wk_rst_style *style, uint64_t wall_ns);

/* One JSON object, {"event":"rst",…} or {"event":"sent",…}. */
void wk_rst_write_json(const struct wk_rst_style *style,
    const struct wk_rst_record *r);

/* Indices of fields, for wk_rst_write_fields(). */
#define WK_RST_FIELDS_MAX 64
struct wk_rst_fields {
	size_t n;
	uint8_t field[WK_RST_FIELDS_MAX];
};

/* Names joined by commas; WK_E_INVALID names the one that is none. */
int wk_rst_fields_parse(const char *names, struct wk_rst_fields *fields,
    struct wk_error *error);

/* The values, escaped, separated by tabs; empty where there is none. */
void wk_rst_write_fields(const struct wk_rst_style *style,
    const struct wk_rst_fields *fields, const struct wk_rst_record *r);

/* "198.51.100.20.443" or "2001:db8::1.443" as tcpdump writes it. */
#define WK_ENDPOINT_TEXT 56
const char *wk_endpoint_text(uint8_t ip_version, const uint8_t *address,
    uint16_t port, char out[WK_ENDPOINT_TEXT]);

/* --list-codes: the table of a registry, text or NDJSON. */
void wk_rst_write_codes(enum wk_rstdiag_registry registry);
