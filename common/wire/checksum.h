/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071) over pieces: start with a sum of 0, add the
 * pieces, finish. Every piece but the last must have an even length. A sum is
 * meaningless except to these functions, and only on the machine it was made.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t wk_checksum_add(uint64_t sum, const void *data, size_t len);

/*
 * Start with the pseudo header of TCP or UDP over IPv4 (RFC 9293, section 3.1)
 * or IPv6 (RFC 8200, section 8.1), for len octets of protocol.
 */
uint64_t wk_checksum_pseudo(unsigned ip_version, const uint8_t *src,
    const uint8_t *dst, uint8_t protocol, size_t len);

/*
 * The value for the checksum field, which was 0 while it was added. Over data
 * with the field filled in the result is 0 when the checksum is right.
 */
uint16_t wk_checksum_finish(uint64_t sum);
