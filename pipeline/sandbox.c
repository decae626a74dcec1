#include "pipeline/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

/* What a kernel may know and the headers that this is built with may not. */
#define FS_TRUNCATE (1ULL << 14)  /* of version 3 */
#define FS_IOCTL_DEV (1ULL << 15) /* of version 5 */

struct ruleset {
	uint64_t files, network, scoped;
};

/* What each version of Landlock can refuse; all that it can is refused, but for what a rule allows. */
static const struct {
	long version;
	struct ruleset adds;
} landlock[] = {
    {1, {.files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1}}, /* reading, writing, making, removing, starting */
    {2, {.files = LANDLOCK_ACCESS_FS_REFER}},               /* renaming into another folder: before, it is refused always */
    {3, {.files = FS_TRUNCATE}},
    {4, {.network = 1 << 0 | 1 << 1}}, /* binding and connecting TCP */
    {5, {.files = FS_IOCTL_DEV}},
    {6, {.scoped = 1 << 0 | 1 << 1}}, /* abstract sockets and signals of processes outside */
};

#define READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define READ_FOLDER (READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FOLDER                                                                                                             \
	(READ_FOLDER | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |          \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)

static bool allow(int ruleset, const char *path, uint64_t access)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return true; /* what is not there needs no rule */
	struct stat info;
	if (fstat(fd, &info) == 0 && !S_ISDIR(info.st_mode))
		access &= READ_FILE;
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
	bool ok = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	close(fd);
	return ok;
}

static enum status close_files(const struct sandbox *s, unsigned *lacks, struct err *e)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1) {
		*lacks |= SANDBOX_NO_LANDLOCK;
		return ST_OK;
	}
	struct ruleset all = {0};
	for (size_t i = 0; i < sizeof landlock / sizeof landlock[0] && landlock[i].version <= version; i++) {
		all.files |= landlock[i].adds.files;
		all.network |= landlock[i].adds.network;
		all.scoped |= landlock[i].adds.scoped;
	}
	if (s->write == NULL)
		all.files = 0;
	if (all.files == 0 && all.network == 0)
		return ST_OK; /* too old to refuse anything else */
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
	bool ok = ruleset >= 0;
	if (s->write != NULL) {
		ok = ok && allow(ruleset, s->write, WRITE_FOLDER & all.files);
		for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
			ok = ok && allow(ruleset, common[i], READ_FOLDER);
		for (size_t i = 0; i < s->n_read; i++)
			ok = ok && allow(ruleset, s->read[i], READ_FOLDER);
	}
	ok = ok && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	int number = errno;
	if (ruleset >= 0)
		close(ruleset);
	return ok ? ST_OK : err_set(e, ST_RUN, "sandbox", "Landlock: %s", strerror(number));
}

/* Calls that are refused whatever they are called with. A name that this architecture does not have is passed over. */
static const int banned[] = {
    /* Sockets; those that were open before (records, key holder, network process) go on working by read and write, recv and
     * send. The ends of a pair could send to any name; messages could carry descriptors (sandbox_hold). */
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(socketcall),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvmmsg),
    /* Programs, and processes that would outlive the worker. */
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    /* Signals to others. */
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
    SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_tgsigqueueinfo),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_send_signal),
    /* The memory, descriptors and shares of others. */
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(process_mrelease),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    SCMP_SYS(move_pages),
    SCMP_SYS(migrate_pages),
    SCMP_SYS(setpriority),
    SCMP_SYS(ioprio_set),
    SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_setattr),
    SCMP_SYS(sched_setparam),
    SCMP_SYS(sched_setscheduler),
    /* What Landlock does not govern: attributes of inputs, links, other ways to a file, news of others' folders. truncate came in
     * with version 3. */
    SCMP_SYS(chmod),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    452 /* fchmodat2 */,
    SCMP_SYS(chown),
    SCMP_SYS(lchown),
    SCMP_SYS(fchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(chown32),
    SCMP_SYS(lchown32),
    SCMP_SYS(fchown32),
    SCMP_SYS(utime),
    SCMP_SYS(utimes),
    SCMP_SYS(futimesat),
    SCMP_SYS(utimensat),
    SCMP_SYS(utimensat_time64),
    SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(fsetxattr),
    SCMP_SYS(removexattr),
    SCMP_SYS(lremovexattr),
    SCMP_SYS(fremovexattr),
    463 /* setxattrat */,
    466 /* removexattrat */,
    469 /* file_setattr */,
    SCMP_SYS(truncate),
    SCMP_SYS(truncate64),
    SCMP_SYS(link),
    SCMP_SYS(linkat),
    SCMP_SYS(symlink),
    SCMP_SYS(symlinkat),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(inotify_init),
    SCMP_SYS(inotify_init1),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(fanotify_mark),
    SCMP_SYS(lookup_dcookie),
    /* Steering of devices, terminals and descriptors' owners; libraries ask only whether a file is a terminal, and take a refusal
     * for a no. */
    SCMP_SYS(ioctl),
    /* Memory and messages that others share, or that no limit counts. */
    SCMP_SYS(ipc),
    SCMP_SYS(shmget),
    SCMP_SYS(shmat),
    SCMP_SYS(shmctl),
    SCMP_SYS(semget),
    SCMP_SYS(semop),
    SCMP_SYS(semtimedop),
    SCMP_SYS(semctl),
    SCMP_SYS(msgget),
    SCMP_SYS(msgsnd),
    SCMP_SYS(msgrcv),
    SCMP_SYS(msgctl),
    SCMP_SYS(mq_open),
    SCMP_SYS(mq_unlink),
    SCMP_SYS(memfd_create),
    SCMP_SYS(memfd_secret),
    /* Calls that reach past this filter, or much of the kernel for nothing that a stage needs. */
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(io_setup),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(personality),
    SCMP_SYS(modify_ldt),
    SCMP_SYS(uselib),
    SCMP_SYS(nfsservctl),
    SCMP_SYS(_sysctl),
    /* The machine: what only root can, and a worker of root's shall not. */
    SCMP_SYS(mount),
    SCMP_SYS(umount),
    SCMP_SYS(umount2),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    467 /* open_tree_attr */,
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(quotactl),
    SCMP_SYS(quotactl_fd),
    SCMP_SYS(acct),
    SCMP_SYS(syslog),
    SCMP_SYS(vhangup),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(settimeofday),
    SCMP_SYS(stime),
    SCMP_SYS(clock_settime),
    SCMP_SYS(clock_settime64),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(clock_adjtime64),
    SCMP_SYS(adjtimex),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
};

/* Calls that look at their number in 32 bits: the rest of the register may hold anything. */
#define INT_IS(arg, value)                                                                                                       \
	{                                                                                                                        \
		arg, SCMP_CMP_MASKED_EQ, UINT32_MAX, value                                                                       \
	}
#define INT_HAS(arg, bits, value)                                                                                                \
	{                                                                                                                        \
		arg, SCMP_CMP_MASKED_EQ, bits, value                                                                             \
	}
#define IS_NOT(arg, value)                                                                                                       \
	{                                                                                                                        \
		arg, SCMP_CMP_NE, value, 0                                                                                       \
	}

/* Calls that are refused when one of their arguments says so. */
struct condition {
	int call, answer;
	struct scmp_arg_cmp when;
};

static int add_rules(scmp_filter_ctx filter)
{
	const struct condition conditions[] = {
	    /* Threads, but no processes. The flags of clone3 lie in memory: libraries go back to clone where it is not known. */
	    {SCMP_SYS(clone), EACCES, INT_HAS(0, CLONE_THREAD, 0)},
	    {SCMP_SYS(clone3), ENOSYS, INT_HAS(0, 0, 0)},
	    /* abort and raise signal the process itself. */
	    {SCMP_SYS(tgkill), EACCES, IS_NOT(0, (scmp_datum_t)getpid())},
	    /* Without an address, to where the socket is connected. */
	    {SCMP_SYS(sendto), EACCES, IS_NOT(4, 0)},
	    /* Its own limits only. */
	    {SCMP_SYS(prlimit64), EACCES, IS_NOT(0, 0)},
	    /* Signals by way of a descriptor; leases, that hold up whoever opens the file; news of folders. */
	    {SCMP_SYS(fcntl), EACCES, INT_IS(1, F_SETOWN)},
	    {SCMP_SYS(fcntl), EACCES, INT_IS(1, F_SETOWN_EX)},
	    {SCMP_SYS(fcntl), EACCES, INT_IS(1, F_SETSIG)},
	    {SCMP_SYS(fcntl), EACCES, INT_IS(1, F_SETLEASE)},
	    {SCMP_SYS(fcntl), EACCES, INT_IS(1, F_NOTIFY)},
	    /* It ends with the supervisor. */
	    {SCMP_SYS(prctl), EACCES, INT_IS(0, PR_SET_PDEATHSIG)},
	    /* Files may be cut by opening them, without the right to write: before version 3 Landlock does not see that. The flags of
	     * openat2 lie in memory. */
	    {SCMP_SYS(open), EACCES, INT_HAS(1, O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC)},
	    {SCMP_SYS(open), EACCES, INT_HAS(1, O_ACCMODE | O_TRUNC, O_ACCMODE | O_TRUNC)},
	    {SCMP_SYS(openat), EACCES, INT_HAS(2, O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC)},
	    {SCMP_SYS(openat), EACCES, INT_HAS(2, O_ACCMODE | O_TRUNC, O_ACCMODE | O_TRUNC)},
	    {SCMP_SYS(openat2), ENOSYS, INT_HAS(0, 0, 0)},
	};
	int fault = 0;
	for (size_t i = 0; fault == 0 && i < sizeof banned / sizeof banned[0]; i++)
		fault = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), banned[i], 0);
	for (size_t i = 0; fault == 0 && i < sizeof conditions / sizeof conditions[0]; i++)
		fault = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((unsigned)conditions[i].answer), conditions[i].call, 1,
		                               &conditions[i].when);
	return fault;
}

static enum status close_calls(unsigned *lacks, struct err *e)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int fault = filter == NULL ? -ENOMEM : add_rules(filter);
	if (fault == 0) {
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list: most calls are not in it */
		seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
		fault = seccomp_load(filter);
	}
	if (filter != NULL)
		seccomp_release(filter);
	if (fault == -EINVAL || fault == -ENOSYS) {
		*lacks |= SANDBOX_NO_SECCOMP;
		return ST_OK;
	}
	return fault == 0 ? ST_OK : err_set(e, ST_RUN, "sandbox", "seccomp: %s", strerror(-fault));
}

/* Landlock and seccomp bind the thread that calls them and those that it starts. */
static bool single_thread(void)
{
	DIR *tasks = opendir("/proc/self/task");
	size_t n = 0;
	if (tasks == NULL)
		return true;
	for (const struct dirent *d; (d = readdir(tasks)) != NULL;)
		n += d->d_name[0] != '.';
	closedir(tasks);
	return n == 1;
}

/* A worker of root's keeps of root's powers only to read and write where the permissions would not let it. */
static bool drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3] = {0};
	if (syscall(SYS_capget, &head, has) != 0)
		return false;
	has[0].permitted &= 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;
	has[0].effective &= has[0].permitted;
	has[1].permitted = has[1].effective = has[0].inheritable = has[1].inheritable = 0;
	return syscall(SYS_capset, &head, has) == 0;
}

static bool limit(int what, uint64_t most)
{
	struct rlimit now, wanted = {most, most};
	if (getrlimit(what, &now) != 0)
		return false;
	if (now.rlim_max < most)
		wanted.rlim_cur = wanted.rlim_max = now.rlim_max; /* somebody has set a lower one already */
	return setrlimit(what, &wanted) == 0;
}

enum status sandbox_close(const struct sandbox *s, unsigned *ret_lacks, struct err *e)
{
	*ret_lacks = 0;
	if (!single_thread())
		return err_set(e, ST_RUN, "sandbox", "a thread was started before");
	signal(SIGXFSZ, SIG_IGN); /* a file that grows too large is a fault of its document, not a crash */
	if (!limit(RLIMIT_CORE, 0) || (s->memory_bytes > 0 && !WITH_ASAN && !limit(RLIMIT_AS, s->memory_bytes)) ||
	    (s->file_bytes > 0 && !limit(RLIMIT_FSIZE, s->file_bytes)))
		return err_set(e, ST_RUN, "sandbox", "limits: %s", strerror(errno));
	if (!drop_capabilities())
		return err_set(e, ST_RUN, "sandbox", "capabilities: %s", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(e, ST_RUN, "sandbox", "no_new_privs: %s", strerror(errno));
	enum status st = close_files(s, ret_lacks, e);
	return st == ST_OK ? close_calls(ret_lacks, e) : st;
}

int sandbox_hold(int fd)
{
	int pair[2];
	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return fd;
	char byte = 0;
	struct iovec part = {&byte, 1};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct msghdr letter = {
	    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
	*CMSG_FIRSTHDR(&letter) =
	    (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&letter)), &fd, sizeof fd);
	bool sent = sendmsg(pair[0], &letter, MSG_NOSIGNAL) == 1;
	close(pair[0]);
	close(sent ? fd : pair[1]);
	return sent ? pair[1] : fd;
}
