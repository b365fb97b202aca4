/* SPDX-License-Identifier: MIT */
/*
 * An address with its port, as typed: 192.0.2.1:443, [2001:db8::1]:443,
 * [fe80::1%eth0]:443. Numbers only, nothing is looked up but the interface.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"

struct endpoint {
	bool is_set;
	uint8_t ip_version;	/* 4 or 6 */
	uint8_t address[16];	/* IPv4 uses the first four octets */
	uint16_t port;
	uint32_t scope_id;	/* index of the interface behind %, or 0 */
};

/* WK_E_INVALID says what was expected. */
int endpoint_parse(const char *text, struct endpoint *e,
    struct wk_error *error);

/* fe80::/10: means nothing without an interface. */
bool endpoint_is_link_local(const struct endpoint *e);

/* Multicast, broadcast, or unspecified: nothing a reset may go to or from. */
bool address_is_no_host(uint8_t ip_version, const uint8_t *address);

/* 127.0.0.0/8, ::1, and IPv4 addresses in IPv6 clothes: never on a link. */
bool address_is_internal(uint8_t ip_version, const uint8_t *address);

/* The address alone. Returns out. */
#define ADDRESS_TEXT 46
const char *address_text(uint8_t ip_version, const uint8_t *address,
    char out[ADDRESS_TEXT]);
