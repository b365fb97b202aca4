/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
fail(struct wk_error *error, const char *what)
{
	return wk_error_set(error, WK_E_SYSTEM, 0, "%s: %s", what,
	    strerror(errno));
}

/* Whose rights are enough from here on; SUDO_USER is who typed the command. */
static const char *
ordinary_user(const char *user)
{
	const char *sudo = getenv("SUDO_USER");

	if (user != NULL)
		return user;
	return sudo != NULL && *sudo != '\0' && strcmp(sudo, "root") != 0 ?
	    sudo : "nobody";
}

static bool
is_ourselves(const char *user)
{
	const struct passwd *pw = getpwnam(user);

	return pw != NULL && pw->pw_uid == geteuid();
}

static int
become(const char *user, struct wk_error *error)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL)
		return wk_error_set(error, WK_E_INVALID, 0, "no user %s",
		    user);
	if (pw->pw_uid == geteuid() && pw->pw_gid == getegid())
		return WK_OK;
	if (initgroups(user, pw->pw_gid) < 0)
		return fail(error, "initgroups");
	if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0)
		return fail(error, "setresgid");
	if (setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return fail(error, "setresuid");
	return WK_OK;
}

static int
drop_capabilities(struct wk_error *error)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof(none));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 &&
	    errno != EINVAL)
		return fail(error, "ambient capabilities");
	if (syscall(SYS_capset, &header, none) < 0)
		return fail(error, "capset");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(error, "no_new_privs");
	return WK_OK;
}

int
wk_privileges_drop(const char *user, struct wk_error *error)
{
	int rc = WK_OK;

	if (geteuid() == 0) {
		rc = become(ordinary_user(user), error);
		if (rc == WK_E_SYSTEM && errno == EPERM && user == NULL)
			rc = WK_OK;
	}
	if (rc == WK_OK && geteuid() != 0 && user != NULL &&
	    !is_ourselves(user))
		rc = wk_error_set(error, WK_E_INVALID, 0,
		    "only root can become %s", user);
	return rc == WK_OK ? drop_capabilities(error) : rc;
}
