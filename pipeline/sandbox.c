#include "pipeline/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#else
#define WITH_ASAN 0
#endif

/* What every stage may read: data of libraries (fonts, languages, colour profiles, charset conversion), nothing of /etc but
 * what they look at; a PIN file or a key is never among these. */
static const char *const common[] = {
    "/usr/share",
    "/usr/lib",
    "/usr/local/share",
    "/lib",
    "/lib64",
    "/etc/fonts",
    "/etc/ssl/openssl.cnf",
    "/etc/localtime",
    "/dev/null",
    "/dev/urandom",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
};

#define READ_FOLDER (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FOLDER                                                                                                             \
	(READ_FOLDER | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |          \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG)

static bool allow(int ruleset, const char *path, uint64_t access)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return true; /* what is not there needs no rule */
	struct stat info;
	if (fstat(fd, &info) == 0 && !S_ISDIR(info.st_mode))
		access &= LANDLOCK_ACCESS_FS_READ_FILE;
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
	bool ok = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	close(fd);
	return ok;
}

static enum status close_files(const struct sandbox *s, unsigned *lacks, struct err *e)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1) {
		*lacks |= SANDBOX_NO_LANDLOCK;
		return ST_OK;
	}
	/* All rights of the first version; renaming into another folder (the second) is refused unless it is handled and allowed. */
	struct landlock_ruleset_attr attr = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	uint64_t write = WRITE_FOLDER;
	if (abi >= 2) {
		attr.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
		write |= LANDLOCK_ACCESS_FS_REFER;
	}
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	bool ok = ruleset >= 0 && allow(ruleset, s->write, write);
	for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
		ok = ok && allow(ruleset, common[i], READ_FOLDER);
	for (size_t i = 0; i < s->n_read; i++)
		ok = ok && allow(ruleset, s->read[i], READ_FOLDER);
	ok = ok && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	int number = errno;
	if (ruleset >= 0)
		close(ruleset);
	return ok ? ST_OK : err_set(e, ST_RUN, "sandbox", "Landlock: %s", strerror(number));
}

static enum status close_calls(unsigned *lacks, struct err *e)
{
	/* Sockets that were open before (records, key holder, network process) go on working by read and write. */
	static const int denied[] = {
	    SCMP_SYS(socket),
	    SCMP_SYS(connect),
	    SCMP_SYS(bind),
	    SCMP_SYS(listen),
	    SCMP_SYS(accept),
	    SCMP_SYS(accept4),
	    SCMP_SYS(execve),
	    SCMP_SYS(execveat),
	    SCMP_SYS(ptrace),
	    SCMP_SYS(kill),
	    SCMP_SYS(tkill),
	    SCMP_SYS(mount),
	    SCMP_SYS(umount2),
	    SCMP_SYS(pivot_root),
	    SCMP_SYS(chroot),
	    SCMP_SYS(unshare),
	    SCMP_SYS(setns),
	    SCMP_SYS(bpf),
	    SCMP_SYS(keyctl),
	    SCMP_SYS(add_key),
	    SCMP_SYS(request_key),
	    SCMP_SYS(perf_event_open),
	    SCMP_SYS(init_module),
	    SCMP_SYS(finit_module),
	    SCMP_SYS(userfaultfd),
	    SCMP_SYS(process_vm_readv),
	    SCMP_SYS(process_vm_writev),
	    SCMP_SYS(pidfd_open),
	    SCMP_SYS(pidfd_getfd),
	    SCMP_SYS(io_uring_setup),
	    SCMP_SYS(open_by_handle_at),
	    SCMP_SYS(reboot),
	    SCMP_SYS(kexec_load),
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int fault = filter == NULL ? -ENOMEM : 0;
	for (size_t i = 0; fault == 0 && i < sizeof denied / sizeof denied[0]; i++)
		fault = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), denied[i], 0);
	/* tgkill is how abort works: allowed for the process itself. */
	if (fault == 0)
		fault = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(tgkill), 1,
		                         SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid()));
	if (fault == 0)
		fault = seccomp_load(filter);
	if (filter != NULL)
		seccomp_release(filter);
	if (fault == -EINVAL || fault == -ENOSYS || fault == -ECANCELED) {
		*lacks |= SANDBOX_NO_SECCOMP;
		return ST_OK;
	}
	return fault == 0 ? ST_OK : err_set(e, ST_RUN, "sandbox", "seccomp: %s", strerror(-fault));
}

enum status sandbox_close(const struct sandbox *s, unsigned *ret_lacks, struct err *e)
{
	*ret_lacks = 0;
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	if (s->memory_bytes > 0 && !WITH_ASAN) {
		struct rlimit memory = {s->memory_bytes, s->memory_bytes};
		if (setrlimit(RLIMIT_AS, &memory) != 0)
			return err_set(e, ST_RUN, "sandbox", "limit of memory: %s", strerror(errno));
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(e, ST_RUN, "sandbox", "no_new_privs: %s", strerror(errno));
	enum status st = s->write != NULL ? close_files(s, ret_lacks, e) : ST_OK;
	return st == ST_OK ? close_calls(ret_lacks, e) : st;
}
