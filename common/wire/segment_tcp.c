/* SPDX-License-Identifier: MIT */
/* What a TCP header says: sequence space, its reset, options, flags. */
#include "config.h"

#include "common/wire/segment.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OPTION_END 0
#define OPTION_NOP 1

static const struct {
	uint16_t flag;
	char letter;
	char name[5];
} flags_table[] = {
	{ WK_TCP_FIN, 'F', "fin" },
	{ WK_TCP_SYN, 'S', "syn" },
	{ WK_TCP_RST, 'R', "rst" },
	{ WK_TCP_PSH, 'P', "psh" },
	{ WK_TCP_ACK, '.', "ack" },
	{ WK_TCP_URG, 'U', "urg" },
	{ WK_TCP_ECE, 'E', "ece" },
	{ WK_TCP_CWR, 'W', "cwr" },
	{ WK_TCP_AE, 'e', "ae" },
	{ 0, '\0', "none" },
};
#define N_FLAGS (sizeof(flags_table) / sizeof(flags_table[0]))

uint32_t
wk_segment_seq_len(const struct wk_segment *s)
{
	return (uint32_t)s->payload_len + ((s->flags & WK_TCP_SYN) != 0) +
	    ((s->flags & WK_TCP_FIN) != 0);
}

bool
wk_segment_reset_for(const struct wk_segment *provoking,
    struct wk_segment *rst)
{
	const struct wk_segment *p = provoking;
	struct wk_segment answer = {
		.ip_version = p->ip_version,
		.ttl = 64,
		.protocol = WK_PROTOCOL_TCP,
		.has_df = p->ip_version == 4,
		.src_port = p->dst_port,
		.dst_port = p->src_port,
		.flags = WK_TCP_RST,
	};

	if ((p->flags & WK_TCP_RST) != 0)
		return false;
	memcpy(answer.src, p->dst, sizeof(answer.src));
	memcpy(answer.dst, p->src, sizeof(answer.dst));
	if ((p->flags & WK_TCP_ACK) != 0) {
		answer.seq = p->ack;
	} else {
		answer.ack = p->seq + wk_segment_seq_len(p);
		answer.flags |= WK_TCP_ACK;
	}
	*rst = answer;
	return true;
}

bool
wk_segment_next_option(const struct wk_segment *s, size_t *offset,
    uint8_t *kind, const uint8_t **data, size_t *len, bool *is_bad)
{
	const uint8_t *option;
	size_t left;

	*is_bad = false;
	while (*offset < s->options_len && s->options[*offset] == OPTION_NOP)
		++*offset;
	if (*offset >= s->options_len || s->options[*offset] == OPTION_END)
		return false;
	option = s->options + *offset;
	left = s->options_len - *offset;
	if (left < 2 || option[1] < 2 || option[1] > left) {
		*is_bad = true;
		return false;
	}
	*kind = option[0];
	*data = option + 2;
	*len = option[1] - 2u;
	*offset += option[1];
	return true;
}

const char *
wk_tcp_flags_text(uint16_t flags, char out[WK_TCP_FLAGS_TEXT])
{
	char *at = out;
	size_t i;

	for (i = 0; i < N_FLAGS; i++)
		if ((flags & flags_table[i].flag) != 0)
			*at++ = flags_table[i].letter;
	*at = '\0';
	return at > out ? out : strcpy(out, "none");
}

static bool
parse_name(const char *word, size_t len, uint16_t *flags)
{
	size_t i;

	for (i = 0; i < N_FLAGS; i++)
		if (strlen(flags_table[i].name) == len &&
		    strncasecmp(flags_table[i].name, word, len) == 0) {
			*flags = flags_table[i].flag;
			return true;
		}
	return false;
}

static bool
parse_letters(const char *word, size_t len, uint16_t *flags)
{
	size_t i, k;

	*flags = 0;
	for (i = 0; i < len; i++) {
		for (k = 0; k < N_FLAGS; k++)
			if (flags_table[k].letter == word[i])
				break;
		if (k == N_FLAGS)
			return false;
		*flags |= flags_table[k].flag;
	}
	return len > 0;
}

static bool
parse_number(const char *word, size_t len, uint16_t *flags)
{
	bool is_hex = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
	unsigned long v;
	char *end;

	if (word[0] < '0' || word[0] > '9')
		return false;	/* no sign, no blank */
	v = strtoul(word, &end, is_hex ? 16 : 10);
	*flags = v & WK_TCP_FLAGS_ALL;
	return end == word + len && v <= WK_TCP_FLAGS_ALL;
}

int
wk_tcp_flags_parse(const char *text, uint16_t *flags, struct wk_error *error)
{
	const char *word = text;
	uint16_t all = 0, some;
	size_t len;

	for (;; word += len + 1) {
		len = strcspn(word, ",");
		if (!parse_name(word, len, &some) &&
		    !parse_letters(word, len, &some) &&
		    !parse_number(word, len, &some))
			return wk_error_set(error, WK_E_MALFORMED,
			    (uint64_t)(word - text), "\"%.*s\" is no TCP flag, "
			    "expected fin syn rst psh ack urg ece cwr ae, "
			    "letters of FSRP.UEWe, or a number up to 0x1ff",
			    len < 32 ? (int)len : 32, word);
		all |= some;
		if (word[len] == '\0')
			break;
	}
	*flags = all;
	return WK_OK;
}
