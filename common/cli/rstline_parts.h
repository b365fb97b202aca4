/* SPDX-License-Identifier: MIT */
/* What the files of the rstline room share among themselves. */
#pragma once

#include <netinet/in.h>

#include "common/base/buf.h"
#include "common/cli/rstline.h"

const char *wk_rst_address_text(uint8_t ip_version, const uint8_t *address,
    char out[INET6_ADDRSTRLEN]);

/* The tables that could explain the code, most likely first; how many. */
size_t wk_rst_readings(const struct wk_rst_style *style,
    const struct wk_rstdiag *d, enum wk_rstdiag_registry out[2]);

/* What a code means in a table, or "unknown". */
const char *wk_rst_reading_text(enum wk_rstdiag_registry registry,
    uint16_t code);

/* The reason of a Multipath TCP reset option, if there is one. */
bool wk_rst_mptcp_reason(const struct wk_segment *s, unsigned *reason);
const char *wk_rst_mptcp_text(unsigned reason);

/* Is the window one of NetScaler's reset codes? */
bool wk_rst_has_netscaler_window(const struct wk_segment *s);

/* A line is put together in one buffer, empty at the start. */
struct wk_buf *wk_rst_line_start(void);
void wk_rst_line_end(struct wk_buf *line);
