/* SPDX-License-Identifier: MIT */
/*
 * Frames from an interface or a capture file, through libpcap: pcap and
 * pcapng, standard input as "-", BPF expressions (pcap-filter(7)). Memory does
 * not grow with the length of a capture.
 */
#pragma once

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/error.h"

#define WK_CAPTURE_SNAPLEN 262144	/* the longest frame there can be */

/*
 * For live captures. The kernel's ring has places of one size: with room for
 * the longest frame in each there would be only a few of them.
 */
#define WK_CAPTURE_LIVE_SNAPLEN 2048
#define WK_CAPTURE_LIVE_BUFFER (8 << 20)

struct wk_frame {
	const uint8_t *data;	/* borrowed until the next call */
	size_t caplen, wire_len;
	uint64_t wall_ns;	/* when it was captured, ns since 1970 */
};

struct wk_capture {
	pcap_t *pcap;
	uint32_t link;		/* link type, see enum wk_link */
	const char *name;	/* interface or file, borrowed, for messages */
	bool is_live;
	bool is_pipe;		/* a file that may still grow while we read */
	int fd;			/* to poll for reading; -1 for files */
	FILE *file;		/* for wk_capture_position(); not for stdin */
	uint64_t frames;	/* delivered by wk_capture_next() */
	bool reports_drops;	/* the system counts what it drops */
};

struct wk_capture_live {
	const char *interface;	/* or "any" */
	int snaplen;		/* octets per frame; 0: _LIVE_SNAPLEN */
	int buffer_size;	/* octets in the kernel; 0: _LIVE_BUFFER */
	bool is_promiscuous;
	int direction;		/* PCAP_D_INOUT, PCAP_D_IN or PCAP_D_OUT */
};

/*
 * Open an interface, delivering frames at once and never blocking. error says
 * what to do where we know it (capability, interface name). Status
 * WK_E_SYSTEM, or WK_E_INVALID for an interface that does not exist.
 */
int wk_capture_open_live(struct wk_capture *c,
    const struct wk_capture_live *live, struct wk_error *error);

/*
 * Open a capture file, "-" for standard input. WK_E_SYSTEM with errno when it
 * cannot be opened, WK_E_MALFORMED when it is not a capture.
 */
int wk_capture_open_file(struct wk_capture *c, const char *path,
    struct wk_error *error);

/* Deliver only what matches. WK_E_INVALID: the expression, error says why. */
int wk_capture_filter(struct wk_capture *c, const char *expression,
    struct wk_error *error);

/*
 * The next frame. 1: *f is filled. 0: nothing now (live; poll c->fd) or the
 * end (file). Negative: error says why; a file cut in the middle of a record
 * gives WK_E_TRUNCATED, after all whole records were delivered.
 */
int wk_capture_next(struct wk_capture *c, struct wk_frame *f,
    struct wk_error *error);

/* Octets of the file read so far and its size; false when unknown. */
bool wk_capture_position(const struct wk_capture *c, uint64_t *at,
    uint64_t *size);

/* Counters of a live capture: seen by the filter, dropped for lack of room. */
bool wk_capture_counters(const struct wk_capture *c, uint64_t *received,
    uint64_t *dropped);

void wk_capture_close(struct wk_capture *c);

/* "EN10MB" and the like; "unnamed" for what libpcap does not know. */
const char *wk_capture_link_name(uint32_t link);

/*
 * A compiled expression to be asked frame by frame, apart from any capture.
 * link and snaplen as the frames will have. WK_E_INVALID with the reason.
 */
int wk_filter_compile(struct bpf_program *program, uint32_t link,
    const char *expression, struct wk_error *error);
bool wk_filter_matches(const struct bpf_program *program,
    const struct wk_frame *f);

/*
 * Write frames to a capture file with nanosecond stamps; "-" is stdout.
 * A dump may be flushed at any time, and closing reports the first failure
 * with errno as WK_E_SYSTEM.
 */
struct wk_dump {
	pcap_t *dead;
	pcap_dumper_t *dumper;
	const char *name;	/* borrowed, for messages */
};

int wk_dump_open(struct wk_dump *d, const char *path, uint32_t link,
    int snaplen, struct wk_error *error);
void wk_dump_frame(struct wk_dump *d, const struct wk_frame *f);
/* Did the last frame hit an error? errno may say which. */
bool wk_dump_has_failed(const struct wk_dump *d);
int wk_dump_flush(struct wk_dump *d);
int wk_dump_close(struct wk_dump *d);
