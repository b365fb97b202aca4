/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/rstdiag.h"

#include <stdio.h>
#include <string.h>

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

/* ietf-03: middleboxes use 10 to 16. */
static const struct wk_rstdiag_reason ietf_03[] = {
	{ 1, "illegal-option-length", "Illegal option length",
	    "RFC 9293, section 3.1", false },
	{ 2, "no-reader", "Data available or received when the application "
	    "can no longer read", "RFC 9293, section 3.6.1", false },
	{ 3, "abort", "ABORT process", "RFC 9293, section 3.10.5", false },
	{ 4, "closed", "Segment received in CLOSED state",
	    "RFC 9293, section 3.10.7.1", false },
	{ 5, "listen-ack", "ACK segment received in LISTEN state",
	    "RFC 9293, section 3.10.7.2", false },
	{ 6, "synsent-bad-ack", "ACK in SYN-SENT, SEG.ACK not acceptable",
	    "RFC 9293, section 3.10.7.3", false },
	{ 7, "synrcvd-bad-ack", "ACK in SYN-RECEIVED, SEG.ACK not acceptable",
	    "RFC 9293, section 3.10.7.4", false },
	{ 8, "window-syn", "In-window SYN in a synchronized state, "
	    "no RFC 5961 support", "RFC 9293, section 3.10.7.4", false },
	{ 9, "security-compartment", "Unexpected security compartment",
	    "RFC 9293, appendix A.1", false },
	{ 10, "malformed", "Malformed message", "", true },
	{ 11, "not-authorized", "Not authorized", "", true },
	{ 12, "resource", "Resource exceeded", "", true },
	{ 13, "network-failure", "Network failure", "", true },
	{ 14, "peer-reset", "Reset received from the peer", "", true },
	{ 15, "unreachable", "Destination unreachable", "", true },
	{ 16, "timeout", "Connection timeout", "", true },
	{ 17, "outstanding-data", "Too much outstanding data",
	    "RFC 8684, section 3.6", false },
	{ 18, "performance", "Unacceptable performance",
	    "RFC 8684, section 3.6", false },
	{ 19, "middlebox", "Middlebox interference",
	    "RFC 8684, section 3.6", false },
};

/* -10 to -17 and ietf-00 to ietf-02: middleboxes use 8 to 14. */
static const struct wk_rstdiag_reason ietf_00[] = {
	{ 1, "illegal-option-length", "Illegal option length",
	    "RFC 9293, section 3.1", false },
	{ 2, "desynchronized", "Desynchronized state",
	    "RFC 9293, section 3.5.1", false },
	{ 3, "no-reader", "New data received after CLOSE is called",
	    "RFC 9293, sections 3.6.1 and 3.10.7.1", false },
	{ 4, "abort", "ABORT process", "RFC 9293, section 3.10.5", false },
	{ 5, "unexpected-ack", "Unexpected ACK received by non-synchronized "
	    "state connection", "RFC 9293, section 3.10.7", false },
	{ 6, "window-syn", "Unexpected SYN in the window",
	    "RFC 9293, section 3.10.7", false },
	{ 7, "security-compartment", "Unexpected security compartment",
	    "RFC 9293, appendix A.1", false },
	{ 8, "malformed", "Malformed message", "", true },
	{ 9, "not-authorized", "Not authorized", "", true },
	{ 10, "resource", "Resource exceeded", "", true },
	{ 11, "network-failure", "Network failure", "", true },
	{ 12, "peer-reset", "Reset received from the peer", "", true },
	{ 13, "unreachable", "Destination unreachable", "", true },
	{ 14, "timeout", "Connection timeout", "", true },
	{ 15, "outstanding-data", "Too much outstanding data",
	    "RFC 8684, section 3.6", false },
	{ 16, "performance", "Unacceptable performance",
	    "RFC 8684, section 3.6", false },
	{ 17, "middlebox", "Middlebox interference",
	    "RFC 8684, section 3.6", false },
};

/*
 * -04 to -09: middleboxes use 6 to 10. The drafts print 12 twice, the second
 * time for what the source of late 2024 numbers 13.
 */
static const struct wk_rstdiag_reason y2022[] = {
	{ 1, "no-reader", "New data received after CLOSE is called",
	    "RFC 9293, sections 3.6.1 and 3.10.7.1", false },
	{ 2, "listen-ack", "ACK segment received in LISTEN state",
	    "RFC 9293, section 3.10.7.2", false },
	{ 3, "illegal-option-length", "Illegal Option",
	    "RFC 9293, section 3.1", false },
	{ 4, "malformed", "Malformed message", "", false },
	{ 5, "not-authorized", "Not authorized", "", false },
	{ 6, "resource", "Resource exceeded", "", true },
	{ 7, "network-failure", "Network failure", "", true },
	{ 8, "peer-reset", "Reset received from the peer", "", true },
	{ 9, "unreachable", "Destination unreachable", "", true },
	{ 10, "timeout", "Connection timeout", "", true },
	{ 11, "outstanding-data", "Too much outstanding data",
	    "RFC 8684, section 3.6", false },
	{ 12, "performance", "Unacceptable performance",
	    "RFC 8684, section 3.6", false },
	{ 13, "middlebox", "Middlebox interference",
	    "RFC 8684, section 3.6", false },
};

/* The first announcement: middleboxes use 6 to 9. */
static const struct wk_rstdiag_reason first[] = {
	{ 1, "no-reader", "data received after close",
	    "RFC 9293, sections 3.6.1 and 3.10.7.1", false },
	{ 2, "listen-ack", "ACK received in LISTEN",
	    "RFC 9293, section 3.10.7.2", false },
	{ 3, "malformed", "malformed message", "", false },
	{ 4, "not-authorized", "not authorized", "", false },
	{ 5, "resource", "resource exceeded", "", false },
	{ 6, "network-failure", "network failure", "", true },
	{ 7, "peer-reset", "reset received from the peer", "", true },
	{ 8, "unreachable", "destination unreachable", "", true },
	{ 9, "timeout", "connection timeout", "", true },
};

static const struct {
	const char *name;
	const struct wk_rstdiag_reason *reasons;
	size_t n;
} registries[WK_RSTDIAG_N_REGISTRIES] = {
	[WK_RSTDIAG_FIRST] = { "first", first, N_ELEMENTS(first) },
	[WK_RSTDIAG_2022] = { "2022", y2022, N_ELEMENTS(y2022) },
	[WK_RSTDIAG_IETF_00] = { "ietf-00", ietf_00, N_ELEMENTS(ietf_00) },
	[WK_RSTDIAG_IETF_03] = { "ietf-03", ietf_03, N_ELEMENTS(ietf_03) },
};

/* A format's name, and the tables its senders may have had, likely first. */
static const struct {
	const char *name;
	size_t n;
	enum wk_rstdiag_registry candidates[2];
} formats[WK_RSTDIAG_N_FORMATS] = {
	[WK_RSTDIAG_NONE] = { "none", 0, { 0 } },
	[WK_RSTDIAG_COMPACT] = { "compact", 2,
	    { WK_RSTDIAG_IETF_03, WK_RSTDIAG_IETF_00 } },
	[WK_RSTDIAG_FREE_TEXT] = { "free-text", 0, { 0 } },
	[WK_RSTDIAG_CBOR_SEQ] = { "cbor-seq", 2,
	    { WK_RSTDIAG_IETF_00, WK_RSTDIAG_2022 } },
	[WK_RSTDIAG_CBOR_ARRAY] = { "cbor-array", 2,
	    { WK_RSTDIAG_FIRST, WK_RSTDIAG_2022 } },
	[WK_RSTDIAG_CBOR_MAP] = { "cbor-map", 1, { WK_RSTDIAG_FIRST } },
	[WK_RSTDIAG_B13] = { "b13", 1, { WK_RSTDIAG_IETF_00 } },
	[WK_RSTDIAG_B14] = { "b14", 1, { WK_RSTDIAG_IETF_00 } },
	[WK_RSTDIAG_JSON] = { "json", 1, { WK_RSTDIAG_FIRST } },
	[WK_RSTDIAG_LINUX_EXP] = { "linux-exp", 0, { 0 } },
	[WK_RSTDIAG_F5] = { "f5", 0, { 0 } },
	[WK_RSTDIAG_TEXT] = { "text", 0, { 0 } },
	[WK_RSTDIAG_UNKNOWN] = { "unknown", 0, { 0 } },
};

/* Names are typed by hand: upper case and '_' for '-' are as good. */
static char
folded(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '_' ? '-' : c;
}

static bool
is_name(const char *typed, const char *name)
{
	while (*typed != '\0' && folded(*typed) == *name) {
		typed++;
		name++;
	}
	return *typed == *name;
}

const char *
wk_rstdiag_format_name(int format)
{
	if (format < 0 || format >= WK_RSTDIAG_N_FORMATS)
		return NULL;
	return formats[format].name;
}

int
wk_rstdiag_format_parse(const char *name)
{
	int i;

	for (i = 0; i < WK_RSTDIAG_N_FORMATS; i++)
		if (is_name(name, formats[i].name))
			return i;
	return -1;
}

const char *
wk_rstdiag_registry_name(int registry)
{
	if (registry < 0 || registry >= WK_RSTDIAG_N_REGISTRIES)
		return NULL;
	return registries[registry].name;
}

int
wk_rstdiag_registry_parse(const char *name)
{
	int i;

	for (i = 0; i < WK_RSTDIAG_N_REGISTRIES; i++)
		if (is_name(name, registries[i].name))
			return i;
	return -1;
}

const char *
wk_rstdiag_warning_text(unsigned bit)
{
	static const struct {
		unsigned bit;
		const char *text;
	} texts[WK_RSTDIAG_N_WARNINGS] = {
		{ WK_RSTDIAG_W_TEXT_AND_CODE, "text beside a code, which "
		    "-04 discourages and -11 forbids" },
		{ WK_RSTDIAG_W_LONG,
		    "longer than the recommended 255 octets" },
		{ WK_RSTDIAG_W_TEXT_KEYS,
		    "key names where the draft has key numbers" },
		{ WK_RSTDIAG_W_UNKNOWN_KEY, "unknown keys, ignored" },
		{ WK_RSTDIAG_W_RESERVED_PEN,
		    "private enterprise number 4294967295 is reserved" },
		{ WK_RSTDIAG_W_SURPLUS, "octets behind the end, ignored" },
	};
	size_t i;

	for (i = 0; i < N_ELEMENTS(texts); i++)
		if (texts[i].bit == bit)
			return texts[i].text;
	return NULL;
}

const struct wk_rstdiag_reason *
wk_rstdiag_reasons(enum wk_rstdiag_registry registry, size_t *n)
{
	*n = registries[registry].n;
	return registries[registry].reasons;
}

const struct wk_rstdiag_reason *
wk_rstdiag_reason(enum wk_rstdiag_registry registry, uint64_t code)
{
	/* Every table counts from 1 without a gap. */
	if (code == 0 || code > registries[registry].n)
		return NULL;
	return &registries[registry].reasons[code - 1];
}

static const struct wk_rstdiag_reason *
reason_named(int registry, const char *name)
{
	size_t i;

	for (i = 0; i < registries[registry].n; i++)
		if (is_name(name, registries[registry].reasons[i].name))
			return &registries[registry].reasons[i];
	return NULL;
}

static unsigned
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c = folded(c);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* False when text is not all digits; a value beyond 65535 comes as 65536. */
static bool
parse_number(const char *text, uint32_t *value)
{
	unsigned base = 10, digit;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	*value = 0;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		digit = digit_value(*text);
		if (digit >= base)
			return false;
		*value = *value * base + digit;
		if (*value > UINT16_MAX)
			*value = UINT32_C(1) + UINT16_MAX;
	}
	return true;
}

/* The name may be right and the registry wrong: say which would know it. */
static int
explain_name(enum wk_rstdiag_registry registry, const char *text,
    struct wk_error *error)
{
	const struct wk_rstdiag_reason *reason = NULL, *found;
	char known[64] = "";
	size_t len;
	int i;

	for (i = WK_RSTDIAG_N_REGISTRIES - 1; i >= 0; i--) {
		found = reason_named(i, text);
		if (found == NULL)
			continue;
		reason = found;
		len = strlen(known);
		snprintf(known + len, sizeof(known) - len, "%s%s",
		    len > 0 ? ", " : "", registries[i].name);
	}
	if (reason == NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "neither a code of %s nor a number from 1 to 65535",
		    registries[registry].name);
	return wk_error_set(error, WK_E_INVALID, 0,
	    "%s is not in %s but in %s", reason->name,
	    registries[registry].name, known);
}

int
wk_rstdiag_code_parse(enum wk_rstdiag_registry registry, const char *text,
    uint16_t *code, struct wk_error *error)
{
	const struct wk_rstdiag_reason *reason;
	uint32_t value;

	if (parse_number(text, &value)) {
		if (value == 0)
			return wk_error_set(error, WK_E_INVALID, 0,
			    "code 0 is reserved");
		if (value > UINT16_MAX)
			return wk_error_set(error, WK_E_INVALID, 0,
			    "code must be at most 65535");
		*code = (uint16_t)value;
		return WK_OK;
	}
	reason = reason_named((int)registry, text);
	if (reason == NULL)
		return explain_name(registry, text, error);
	*code = reason->code;
	return WK_OK;
}

size_t
wk_rstdiag_candidates(enum wk_rstdiag_format format,
    enum wk_rstdiag_registry out[2])
{
	size_t i;

	for (i = 0; i < formats[format].n; i++)
		out[i] = formats[format].candidates[i];
	return formats[format].n;
}

const char *
wk_linux_rst_reason(unsigned number)
{
	static const char *const names[] = {
		"NOT_SPECIFIED",
		"NO_SOCKET",
		"TCP_INVALID_ACK_SEQUENCE",
		"TCP_RFC7323_PAWS",
		"TCP_TOO_OLD_ACK",
		"TCP_ACK_UNSENT_DATA",
		"TCP_FLAGS",
		"TCP_OLD_ACK",
		"TCP_ABORT_ON_DATA",
		"TCP_TIMEWAIT_SOCKET",
		"INVALID_SYN",
		"TCP_ABORT_ON_CLOSE",
		"TCP_ABORT_ON_LINGER",
		"TCP_ABORT_ON_MEMORY",
		"TCP_STATE",
		"TCP_KEEPALIVE_TIMEOUT",
		"TCP_DISCONNECT_WITH_DATA",
		"MPTCP_RST_EUNSPEC",
		"MPTCP_RST_EMPTCP",
		"MPTCP_RST_ERESOURCE",
		"MPTCP_RST_EPROHIBIT",
		"MPTCP_RST_EWQ2BIG",
		"MPTCP_RST_EBADPERF",
		"MPTCP_RST_EMIDDLEBOX",
		"ERROR",
	};

	return number < N_ELEMENTS(names) ? names[number] : NULL;
}

const char *
wk_mptcp_rst_reason(unsigned number)
{
	static const char *const names[] = {
		"Unspecified error",
		"MPTCP-specific error",
		"Lack of resources",
		"Administratively prohibited",
		"Too much outstanding data",
		"Unacceptable performance",
		"Middlebox interference",
	};

	return number < N_ELEMENTS(names) ? names[number] : NULL;
}
