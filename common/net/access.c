/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/access.h"

#include <ctype.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* --- kinds of addresses -------------------------------------------------- */

/* All addresses as IPv6; IPv4 as ::ffff:0:0/96, where prefixes count from 96. */
struct ip {
	uint8_t octets[16];
};

struct prefix {
	struct ip ip;
	int len;
};

static const struct prefix mapped = { { { [10] = 0xff, [11] = 0xff } }, 96 };

static bool
ip_in(const struct ip *ip, const struct prefix *prefix)
{
	size_t whole = (size_t)prefix->len / 8;
	unsigned rest = (unsigned)prefix->len % 8;

	return memcmp(ip->octets, prefix->ip.octets, whole) == 0 &&
	    (rest == 0 || (ip->octets[whole] ^ prefix->ip.octets[whole]) >>
	    (8 - rest) == 0);
}

static bool
ip_from_address(const struct wk_address *address, struct ip *ip)
{
	const struct sockaddr_in *v4 = (const void *)&address->sa;
	const struct sockaddr_in6 *v6 = (const void *)&address->sa;

	*ip = mapped.ip;
	if (address->sa.ss_family == AF_INET)
		memcpy(ip->octets + 12, &v4->sin_addr, 4);
	else if (address->sa.ss_family == AF_INET6)
		memcpy(ip->octets, &v6->sin6_addr, 16);
	else
		return false;
	return true;
}

/* The IPv4 address that a gateway would make of an IPv6 one. */
static bool
ip_inside(const struct ip *ip, struct ip *inner)
{
	static const struct prefix nat64 = {
		{ { 0x00, 0x64, 0xff, 0x9b } }, 96
	}, six_to_four = {
		{ { 0x20, 0x02 } }, 16
	};

	*inner = mapped.ip;
	if (ip_in(ip, &nat64))
		memcpy(inner->octets + 12, ip->octets + 12, 4);
	else if (ip_in(ip, &six_to_four))
		memcpy(inner->octets + 12, ip->octets + 2, 4);
	else
		return false;
	return true;
}

#define V4(a, b, c, d) { { [10] = 0xff, [11] = 0xff, a, b, c, d } }

static const struct kind {
	struct prefix prefix;
	const char *name;
} kinds[] = {
	{ { V4(127, 0, 0, 0), 104 }, "loopback" },
	{ { V4(0, 0, 0, 0), 104 }, "unspecified" },
	{ { V4(169, 254, 0, 0), 112 }, "link-local" },
	{ { V4(255, 255, 255, 255), 128 }, "broadcast" },
	{ { V4(224, 0, 0, 0), 100 }, "multicast" },
	{ { V4(240, 0, 0, 0), 100 }, "reserved" },
	{ { V4(10, 0, 0, 0), 104 }, "private" },
	{ { V4(172, 16, 0, 0), 108 }, "private" },
	{ { V4(192, 168, 0, 0), 112 }, "private" },
	{ { V4(100, 64, 0, 0), 106 }, "shared" },
	{ { { { [15] = 1 } }, 128 }, "loopback" },
	{ { { { 0 } }, 128 }, "unspecified" },
	{ { { { 0xfe, 0x80 } }, 10 }, "link-local" },
	{ { { { 0xfe, 0xc0 } }, 10 }, "private" },
	{ { { { 0xfc } }, 7 }, "private" },
	{ { { { 0xff } }, 8 }, "multicast" },
};

static bool
is_own(const struct ip *ip)
{
	struct ifaddrs *all, *one;
	struct wk_address address = { 0 };
	bool found = false;
	struct ip own;

	if (getifaddrs(&all) < 0)
		return true;	/* not to know is no reason to let in */
	for (one = all; one != NULL && !found; one = one->ifa_next) {
		if (one->ifa_addr == NULL)
			continue;
		if (one->ifa_addr->sa_family == AF_INET)
			memcpy(&address.sa, one->ifa_addr,
			    sizeof(struct sockaddr_in));
		else if (one->ifa_addr->sa_family == AF_INET6)
			memcpy(&address.sa, one->ifa_addr,
			    sizeof(struct sockaddr_in6));
		else
			continue;
		found = ip_from_address(&address, &own) &&
		    memcmp(&own, ip, sizeof(own)) == 0;
	}
	freeifaddrs(all);
	return found;
}

static const char *
ip_kind(const struct ip *ip)
{
	struct ip inner;
	size_t i;

	for (i = 0; i < ARRAY_LEN(kinds); i++)
		if (ip_in(ip, &kinds[i].prefix))
			return kinds[i].name;
	if (ip_inside(ip, &inner))
		return ip_kind(&inner);
	return is_own(ip) ? "own" : NULL;
}

const char *
wk_access_kind(const struct wk_address *address)
{
	struct ip ip;

	return ip_from_address(address, &ip) ? ip_kind(&ip) : "local";
}

/* --- rules for targets --------------------------------------------------- */

enum subject { ANY, PREFIX, SUFFIX, NAME };

struct rule {
	bool is_allow;
	enum subject subject;
	struct prefix prefix;
	char *name;		/* lower case; of SUFFIX with the dot in front */
	uint16_t low, high;	/* ports */
};

struct wk_access_targets {
	struct rule *rules;
	size_t n;
	bool has_allow, is_private_fine;
};

struct wk_access_targets *
wk_access_targets_new(void)
{
	return calloc(1, sizeof(struct wk_access_targets));
}

void
wk_access_targets_del(struct wk_access_targets *targets)
{
	size_t i;

	if (targets == NULL)
		return;
	for (i = 0; i < targets->n; i++)
		free(targets->rules[i].name);
	free(targets->rules);
	free(targets);
}

void
wk_access_targets_allow_private(struct wk_access_targets *targets)
{
	targets->is_private_fine = true;
}

/* A decimal number of at most max; false for anything else. */
static bool
parse_number(struct wk_str text, unsigned max, unsigned *number)
{
	size_t i;

	*number = 0;
	if (text.len == 0 || text.len > 5)
		return false;
	for (i = 0; i < text.len; i++) {
		if (!isdigit((unsigned char)text.at[i]))
			return false;
		*number = *number * 10 + (unsigned)(text.at[i] - '0');
	}
	return *number <= max;
}

static struct wk_str
str_cut(struct wk_str s, size_t from, size_t to)
{
	return (struct wk_str){ s.at + from, to - from };
}

static size_t
str_find(struct wk_str s, char c)
{
	const char *at = s.len == 0 ? NULL : memchr(s.at, c, s.len);

	return at == NULL ? s.len : (size_t)(at - s.at);
}

/* PORT or LOW-HIGH */
static bool
parse_ports(struct wk_str text, struct rule *rule)
{
	size_t dash = str_find(text, '-');
	unsigned low, high;

	if (!parse_number(str_cut(text, 0, dash), 65535, &low))
		return false;
	high = low;
	if (dash < text.len && !parse_number(str_cut(text, dash + 1, text.len),
	    65535, &high))
		return false;
	rule->low = (uint16_t)low;
	rule->high = (uint16_t)high;
	return low >= 1 && low <= high;
}

/*
 * Split into the subject and what stands behind its port's colon (at NULL:
 * none). IPv6 has colons itself: there a port needs brackets or a prefix.
 */
static bool
split_rule(struct wk_str text, struct wk_str *subject, struct wk_str *ports)
{
	size_t colon, slash = str_find(text, '/');
	size_t close = str_find(text, ']');

	*ports = (struct wk_str){ NULL, 0 };
	if (text.len > 0 && text.at[0] == '[') {
		if (close == text.len)
			return false;
		*subject = str_cut(text, 1, close);
		if (str_find(*subject, ':') == subject->len)
			return false;
		text = str_cut(text, close + 1, text.len);
		if (text.len == 0)
			return true;
		*ports = str_cut(text, 1, text.len);
		return text.at[0] == ':';
	}
	colon = str_find(text, ':');
	if (slash < text.len)
		colon = slash + str_find(str_cut(text, slash, text.len), ':');
	else if (colon < text.len &&
	    str_find(str_cut(text, colon + 1, text.len), ':') <
	    text.len - colon - 1)
		colon = text.len;	/* two colons: IPv6 without a port */
	*subject = str_cut(text, 0, colon);
	if (colon < text.len)
		*ports = str_cut(text, colon + 1, text.len);
	return true;
}

static bool
parse_prefix(struct wk_str text, struct rule *rule)
{
	size_t slash = str_find(text, '/');
	struct wk_address address;
	unsigned len, bits;

	if (wk_address_from_ip(&address, str_cut(text, 0, slash), 0) != WK_OK ||
	    !ip_from_address(&address, &rule->prefix.ip))
		return false;
	bits = address.sa.ss_family == AF_INET ? 32 : 128;
	len = bits;
	if (slash < text.len &&
	    !parse_number(str_cut(text, slash + 1, text.len), bits, &len))
		return false;
	rule->subject = PREFIX;
	rule->prefix.len = (int)(128 - bits + len);
	return true;
}

/* Labels of letters, digits, hyphens, underscores. */
static bool
parse_name(struct wk_str text, struct rule *rule)
{
	size_t i;

	rule->subject = NAME;
	if (text.len > 2 && text.at[0] == '*' && text.at[1] == '.') {
		rule->subject = SUFFIX;
		text = str_cut(text, 1, text.len);
	}
	if (text.len > 0 && text.at[text.len - 1] == '.')
		text.len--;
	if (text.len == 0 || text.len > 255)
		return false;
	for (i = 0; i < text.len; i++)
		if (!isalnum((unsigned char)text.at[i]) &&
		    strchr("-_.", text.at[i]) == NULL)
			return false;
	rule->name = strndup(text.at, text.len);
	return rule->name != NULL;
}

int
wk_access_targets_add(struct wk_access_targets *targets, bool is_allow,
    const char *text, struct wk_error *error)
{
	struct rule rule = { .is_allow = is_allow, .low = 0, .high = 65535 };
	struct wk_str subject, ports;
	struct rule *more;
	bool fits;

	if (!split_rule(wk_str_of(text), &subject, &ports))
		return wk_error_set(error, WK_E_INVALID, 0,
		    "expected ADDRESS, [ADDRESS]:PORT, PREFIX/LENGTH, NAME or *");
	if (ports.at != NULL && !parse_ports(ports, &rule))
		return wk_error_set(error, WK_E_INVALID, 0,
		    "expected a port or LOW-HIGH, 1 to 65535, behind the colon");
	if (wk_str_is(subject, "*")) {
		rule.subject = ANY;
		fits = true;
	} else {
		fits = parse_prefix(subject, &rule) ||
		    (str_find(subject, '/') == subject.len &&
		    str_find(subject, ':') == subject.len &&
		    parse_name(subject, &rule));
	}
	if (!fits)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "neither an address, a prefix nor a name");
	more = reallocarray(targets->rules, targets->n + 1, sizeof(*more));
	if (more == NULL) {
		free(rule.name);
		return wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
	}
	targets->rules = more;
	more[targets->n++] = rule;
	targets->has_allow |= is_allow;
	return WK_OK;
}

static struct wk_str
without_dot(struct wk_str host)
{
	if (host.len > 1 && host.at[host.len - 1] == '.')
		host.len--;
	return host;
}

static bool
rule_has_name(const struct rule *rule, struct wk_str host)
{
	size_t len;

	if (rule->subject == ANY)
		return true;
	if (rule->subject == NAME)
		return wk_str_is_nocase(host, rule->name);
	if (rule->subject != SUFFIX)
		return false;
	len = strlen(rule->name);
	return host.len > len && wk_str_is_nocase(
	    str_cut(host, host.len - len, host.len), rule->name);
}

static bool
rule_has_ip(const struct rule *rule, const struct ip *ip)
{
	struct ip inner;

	if (rule->subject != PREFIX)
		return false;
	/* ::/0 says IPv6, although IPv4 is inside of it here. */
	if (rule->prefix.len < mapped.len && ip_in(ip, &mapped))
		return false;
	return ip_in(ip, &rule->prefix) ||
	    (ip_inside(ip, &inner) && rule->prefix.len >= mapped.len &&
	    ip_in(&inner, &rule->prefix));
}

static bool
rule_has_port(const struct rule *rule, uint16_t port)
{
	return port >= rule->low && port <= rule->high;
}

/* How much of the target a rule pins down: subject first, then the ports. */
static long
rule_weight(const struct rule *rule)
{
	long subject = 0;

	if (rule->subject == PREFIX)
		subject = 1 + rule->prefix.len;
	else if (rule->subject != ANY)
		subject = 1 + (long)strlen(rule->name) +
		    (rule->subject == NAME ? 1000 : 0);
	return subject * 65536 + 65535 - (rule->high - rule->low);
}

/* The rule that decides between two that match. */
static const struct rule *
rule_stronger(const struct rule *a, const struct rule *b)
{
	if (a == NULL || rule_weight(b) > rule_weight(a))
		return b;
	return rule_weight(a) == rule_weight(b) && !b->is_allow ? b : a;
}

bool
wk_access_targets_name(const struct wk_access_targets *targets,
    struct wk_str host, uint16_t port)
{
	const struct rule *best = NULL, *rule;
	bool may_be_allowed = !targets->has_allow;
	size_t i;

	host = without_dot(host);
	for (i = 0; i < targets->n; i++) {
		rule = &targets->rules[i];
		if (!rule_has_port(rule, port))
			continue;
		if (rule_has_name(rule, host))
			best = rule_stronger(best, rule);
		may_be_allowed |= rule->is_allow &&
		    (rule->subject == PREFIX || rule_has_name(rule, host));
	}
	/* "deny *" leaves what prefixes allow to the look-up. */
	if (best != NULL && !best->is_allow && best->subject != ANY)
		return false;
	return may_be_allowed;
}

int
wk_access_targets_address(const struct wk_access_targets *targets,
    struct wk_str host, const struct wk_address *address,
    struct wk_error *error)
{
	const struct rule *by_name = NULL, *by_ip = NULL, *rule;
	uint16_t port = wk_address_port(address);
	const char *kind;
	struct ip ip;
	size_t i;

	if (!ip_from_address(address, &ip))
		return wk_error_set(error, WK_E_INVALID, 0, "not an IP address");
	host = without_dot(host);
	for (i = 0; i < targets->n; i++) {
		rule = &targets->rules[i];
		if (!rule_has_port(rule, port))
			continue;
		if (rule_has_ip(rule, &ip))
			by_ip = rule_stronger(by_ip, rule);
		if (rule_has_name(rule, host))
			by_name = rule_stronger(by_name, rule);
	}
	if ((by_ip != NULL && !by_ip->is_allow) || (by_name != NULL &&
	    !by_name->is_allow && (by_name->subject != ANY || by_ip == NULL)))
		return wk_error_set(error, WK_E_INVALID, 0, "a rule denies it");
	if (by_ip != NULL)
		return WK_OK;
	kind = targets->is_private_fine ? NULL : ip_kind(&ip);
	if (kind != NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "%s addresses are not served", kind);
	if (targets->has_allow && by_name == NULL)
		return wk_error_set(error, WK_E_INVALID, 0, "no rule allows it");
	return WK_OK;
}
