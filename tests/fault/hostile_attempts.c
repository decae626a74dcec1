/* The table of attempts of a hostile worker (hostile.h). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/fault/hostile.h"

/* What the attempts go for. */
enum aim { INPUT, PIN, SITE, FONDS, FONDS_FILE, PUBLISHED, LEDGER, LOCK, OUTSIDE, N_AIMS };
static const char *const aim_names[] = {"input", "pin", "site", "fonds", "fonds-file", "published", "ledger", "lock", "outside"};
static char *aim[N_AIMS];
static const char *work;

bool attempts_aim(char *text)
{
	for (char *line; (line = strsep(&text, "\n")) != NULL;)
		for (size_t i = 0; i < N_AIMS; i++) {
			size_t n = strlen(aim_names[i]);
			if (strncmp(line, aim_names[i], n) == 0 && line[n] == '=')
				aim[i] = line + n + 1;
		}
	for (size_t i = 0; i < N_AIMS; i++)
		if (aim[i] == NULL)
			return false;
	return true;
}

static const char *at(const char *folder, const char *name)
{
	static char path[2][4096];
	static int turn;
	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
	return path[turn];
}

static const char *of_parent(const char *name)
{
	static char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)getppid(), name);
	return path;
}

/* An attempt returns a value below 0 with errno where it failed. */
#define TRY(name, what)                                                                                                          \
	static int name(void)                                                                                                    \
	{                                                                                                                        \
		return (what);                                                                                                   \
	}

static int reads(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY);
	return fd < 0 ? -1 : (int)read(fd, &byte, 1);
}

static int lists(const char *path)
{
	DIR *folder = opendir(path);
	return folder != NULL ? closedir(folder) : -1;
}

static int opens(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC, 0666) < 0 ? -1 : 0;
}

/* Files that are none of its business. */
TRY(read_pin, reads(aim[PIN]))
TRY(read_site, reads(aim[SITE]))
TRY(read_fonds, reads(aim[FONDS_FILE]))
TRY(list_fonds, lists(aim[FONDS]))
TRY(read_published, reads(aim[PUBLISHED]))
TRY(read_ledger, reads(aim[LEDGER]))
TRY(read_passwd, reads("/etc/passwd"))
TRY(list_root, lists("/"))
TRY(list_temporary, lists("/tmp"))
static int fonds_through_folder(void)
{
	int folder = open(aim[FONDS], O_PATH);
	return folder < 0 ? -1 : openat(folder, strrchr(aim[FONDS_FILE], '/') + 1, O_RDONLY);
}
TRY(read_parent_environment, reads(of_parent("environ")))
TRY(read_parent_memory, opens(of_parent("mem"), O_RDONLY))
TRY(read_parent_map, reads(of_parent("maps")))
TRY(read_parent_words, reads(of_parent("cmdline")))
TRY(list_parent_files, lists(of_parent("fd")))
TRY(read_own_environment, reads("/proc/self/environ"))

/* Writing outside of the work folder. */
TRY(write_outside, opens(at(aim[OUTSIDE], "new"), O_WRONLY | O_CREAT))
TRY(write_nameless, opens(aim[OUTSIDE], O_RDWR | O_TMPFILE))
TRY(make_folder, mkdir(at(aim[OUTSIDE], "folder"), 0777))
TRY(write_input, opens(aim[INPUT], O_WRONLY))
TRY(write_published, opens(aim[PUBLISHED], O_RDWR))
TRY(write_ledger, opens(aim[LEDGER], O_RDWR))
TRY(write_lock, opens(aim[LOCK], O_RDWR))
TRY(remove_input, unlink(aim[INPUT]))
TRY(rename_input, rename(aim[INPUT], at(aim[OUTSIDE], "input")))
TRY(take_input, rename(aim[INPUT], at(work, "input")))
static int rename_out(void)
{
	close(open(at(work, "mine"), O_WRONLY | O_CREAT, 0666));
	return rename(at(work, "mine"), at(aim[OUTSIDE], "mine"));
}
static int rename_folder_out(void)
{
	mkdir(at(work, "folder"), 0777);
	int got = rename(at(work, "folder"), at(aim[OUTSIDE], "folder")), number = errno;
	rmdir(at(work, "folder"));
	errno = number;
	return got;
}
static int exchange_published(void)
{
	close(open(at(work, "mine"), O_WRONLY | O_CREAT, 0666));
	return renameat2(AT_FDCWD, at(work, "mine"), AT_FDCWD, aim[PUBLISHED], RENAME_EXCHANGE);
}
TRY(remove_published, unlink(aim[PUBLISHED]))
TRY(link_input, link(aim[INPUT], at(work, "linked")) == 0 ? opens(at(work, "linked"), O_WRONLY) : -1)
static int link_out(void)
{
	close(open(at(work, "mine"), O_WRONLY | O_CREAT, 0666));
	return link(at(work, "mine"), at(aim[OUTSIDE], "linked"));
}
static int link_descriptor(void)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", open(aim[INPUT], O_RDONLY));
	return linkat(AT_FDCWD, path, AT_FDCWD, at(work, "linked"), AT_SYMLINK_FOLLOW);
}
static int symlink_outside(void)
{
	unlink(at(work, "symbol"));
	return symlink(at(aim[OUTSIDE], "new"), at(work, "symbol")) == 0 ? opens(at(work, "symbol"), O_WRONLY | O_CREAT) : -1;
}
TRY(make_pipe, mkfifo(at(work, "pipe"), 0666))
TRY(make_socket_file, mknod(at(work, "socket"), S_IFSOCK | 0666, 0))

/* Its own input, through what is not writing. */
TRY(truncate_input, truncate(aim[INPUT], 1))
TRY(truncate_by_open, opens(aim[INPUT], O_RDONLY | O_TRUNC))
TRY(truncate_by_odd_open, opens(aim[INPUT], O_ACCMODE | O_TRUNC))
static int truncate_by_openat2(void)
{
	uint64_t how[3] = {O_RDONLY | O_TRUNC, 0, 0};
	return (int)syscall(437 /* openat2 */, AT_FDCWD, aim[INPUT], how, sizeof how);
}
TRY(chmod_input, chmod(aim[INPUT], 0600))
TRY(fchmod_input, fchmod(open(aim[INPUT], O_RDONLY), 0600))
TRY(chown_input, chown(aim[INPUT], getuid(), getgid()))
TRY(utimes_input, utimensat(AT_FDCWD, aim[INPUT], NULL, 0))
TRY(futimes_input, futimens(open(aim[INPUT], O_RDONLY), NULL))
TRY(setxattr_input, setxattr(aim[INPUT], "user.arkseal", "x", 1, 0))
TRY(lease_input, fcntl(open(aim[INPUT], O_RDONLY), F_SETLEASE, F_RDLCK))
TRY(watch_fonds, inotify_add_watch(inotify_init1(IN_CLOEXEC), aim[FONDS], IN_ALL_EVENTS))

/* The network. */
TRY(socket_inet, socket(AF_INET, SOCK_STREAM, 0))
TRY(socket_datagram, socket(AF_INET, SOCK_DGRAM, 0))
TRY(socket_inet6, socket(AF_INET6, SOCK_STREAM, 0))
TRY(socket_unix, socket(AF_UNIX, SOCK_STREAM, 0))
TRY(socket_netlink, socket(AF_NETLINK, SOCK_RAW, 0))
static int socket_pair(void)
{
	int pair[2];
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
}

/* Programs and processes. */
static int ended(pid_t pid)
{
	int status = -1;
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}
static int start_program(void)
{
	pid_t pid;
	char *const words[] = {(char[]){"true"}, NULL};
	int fault = posix_spawn(&pid, "/bin/true", NULL, NULL, words, NULL);
	errno = fault;
	return fault != 0 ? -1 : ended(pid);
}
static int start_process(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : ended(pid);
}
static int start_process_clone(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : ended(pid);
}
static int start_process_clone3(void)
{
	uint64_t words[11] = {[4] = SIGCHLD};
	pid_t pid = (pid_t)syscall(435 /* clone3 */, words, sizeof words);
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : ended(pid);
}
TRY(outlive, (int)syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0))
TRY(outlive_odd, (int)syscall(SYS_prctl, PR_SET_PDEATHSIG | 1UL << 32, 0, 0, 0, 0))

/* Other processes. SIGURG is one that nobody minds. */
TRY(signal_kill, kill(getppid(), SIGURG))
TRY(signal_group, kill(0, SIGURG))
TRY(signal_thread, (int)syscall(SYS_tkill, getppid(), SIGURG))
TRY(signal_group_thread, (int)syscall(SYS_tgkill, getppid(), getppid(), SIGURG))
TRY(signal_queue, sigqueue(getppid(), SIGURG, (union sigval){0}))
static int signal_queue_thread(void)
{
	siginfo_t info = {.si_signo = SIGURG, .si_code = SI_QUEUE};
	return (int)syscall(SYS_rt_tgsigqueueinfo, getppid(), getppid(), SIGURG, &info);
}
TRY(parent_descriptor, (int)syscall(434 /* pidfd_open */, getppid(), 0))
static int signal_owner(void)
{
	int ends[2];
	return pipe(ends) == 0 ? fcntl(ends[0], F_SETOWN, getppid()) : -1;
}
static int signal_owner_odd(void)
{
	int ends[2];
	return pipe(ends) == 0 ? (int)syscall(SYS_fcntl, ends[0], F_SETOWN | 1UL << 32, getppid()) : -1;
}
static int signal_owner_ex(void)
{
	int ends[2];
	struct f_owner_ex owner = {F_OWNER_PID, getppid()};
	return pipe(ends) == 0 ? fcntl(ends[0], F_SETOWN_EX, &owner) : -1;
}
static int parent_limit(void)
{
	struct rlimit now;
	return prlimit(getppid(), RLIMIT_NOFILE, NULL, &now);
}
static int parent_cores(void)
{
	cpu_set_t now;
	return sched_getaffinity(getppid(), sizeof now, &now) == 0 ? sched_setaffinity(getppid(), sizeof now, &now) : -1;
}
TRY(parent_priority, setpriority(PRIO_PROCESS, (id_t)getppid(), getpriority(PRIO_PROCESS, (id_t)getppid())))
static int parent_memory(void)
{
	/* The same program, so an address of ours is one of its; in the trial outside it may be another's, and a fault of that kind. */
	static char here;
	char copy;
	struct iovec to = {&copy, 1}, from = {&here, 1};
	return (int)process_vm_readv(getppid(), &to, 1, &from, 1, 0);
}
TRY(parent_traced, (int)syscall(SYS_ptrace, 0x4206 /* PTRACE_SEIZE */, getppid(), 0, 0x7fffffff))

/* What others share. */
static int shared_memory(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	return id < 0 ? -1 : shmctl(id, IPC_RMID, NULL);
}
static int shared_semaphore(void)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	return id < 0 ? -1 : semctl(id, 0, IPC_RMID);
}
static int shared_messages(void)
{
	int id = msgget(IPC_PRIVATE, 0600);
	return id < 0 ? -1 : msgctl(id, IPC_RMID, NULL);
}
static int shared_memory_file(void)
{
	char name[40];
	snprintf(name, sizeof name, "/arkseal-%d", (int)getpid());
	int fd = shm_open(name, O_RDWR | O_CREAT, 0600);
	return fd < 0 ? -1 : shm_unlink(name);
}
static int shared_queue(void)
{
	char name[40];
	snprintf(name, sizeof name, "/arkseal-%d", (int)getpid());
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
	return queue < 0 ? -1 : mq_unlink(name);
}
TRY(uncounted_memory, memfd_create("arkseal", 0))

/* Whether the environment that the process was started with still lies in its memory. */
static int secret_in_memory(void)
{
	const char *from = program_invocation_name, *to = (const char *)getauxval(AT_EXECFN);
	errno = ENOENT;
	return from < to && memmem(from, (size_t)(to - from), "ARKSEAL_SECRET=", 15) != NULL ? 0 : -1;
}
static int secret_by_name(void)
{
	errno = ENOENT;
	return getenv("ARKSEAL_SECRET") != NULL ? 0 : -1;
}

/* A regular file or folder among the descriptors that it was started with: the ledger, the lock, a log. */
static int inherited_file(void)
{
	struct stat info;
	for (int fd = 0; fd < 64; fd++)
		if (fstat(fd, &info) == 0 && (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)))
			return 0;
	errno = ENOENT;
	return -1;
}
/* The lock that keeps others from the archive is in its hands, to be let go. */
static int letter_read(void)
{
	char byte;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {&byte, 1};
	for (int fd = 3; fd < 64; fd++) {
		struct msghdr m = {
		    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
		if (recvmsg(fd, &m, MSG_DONTWAIT) >= 0 && CMSG_FIRSTHDR(&m) != NULL)
			return 0;
		if (errno == EACCES)
			return -1;
	}
	return -1;
}
static int root_powers(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct has[2] = {0};
	uint32_t kept = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;
	errno = ENOENT;
	return syscall(SYS_capget, &head, has) == 0 && ((has[0].permitted & ~kept) != 0 || has[1].permitted != 0) ? 0 : -1;
}
static int large_file(void)
{
	int fd = open(at(work, "large"), O_RDWR | O_CREAT | O_CLOEXEC, 0666), got, number;
	got = ftruncate(fd, (3 << 20) + 1);
	number = errno;
	close(fd);
	unlink(at(work, "large"));
	errno = number;
	return got;
}

/* What a stage needs, and must still be able to do. */
static int may_write(void)
{
	int fd = open(at(work, "mine.part"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) != 0 || fsync(fd) != 0 || close(fd) != 0)
		return -1;
	return rename(at(work, "mine.part"), at(work, "mine")) == 0 ? unlink(at(work, "mine")) : -1;
}
TRY(may_write_folder, mkdir(at(work, "folder.part"), 0777) == 0 && rename(at(work, "folder.part"), at(work, "folder")) == 0
                          ? rmdir(at(work, "folder"))
                          : -1)
TRY(may_write_nameless, opens(work, O_RDWR | O_TMPFILE))
TRY(may_read_input, reads(aim[INPUT]))
TRY(may_read_data, lists("/usr/share"))
static void *nothing(void *arg)
{
	return arg;
}
static int may_start_thread(void)
{
	pthread_t thread;
	errno = pthread_create(&thread, NULL, nothing, NULL);
	return errno == 0 ? pthread_join(thread, NULL) : -1;
}
TRY(may_signal_itself, raise(SIGURG))
static int may_limit_itself(void)
{
	struct rlimit now;
	return getrlimit(RLIMIT_CPU, &now) == 0 ? setrlimit(RLIMIT_CPU, &now) : -1;
}

#define CALL(name)                                                                                                               \
	{                                                                                                                        \
#name, NULL, SYS_##name, REFUSED                                                                                 \
	}

/* PREVENTED must fail in the sandbox and work outside, or fail there by another errno; ENABLED must work in both; REFUSED is a call with
 * arguments that no kernel accepts, to be refused before it sees them. */
static const struct row {
	const char *name;
	int (*attempt)(void);
	long call;
	enum { PREVENTED, ENABLED, REFUSED } kind;
} rows[] = {
    /* First, before others open any. */
    {"find a file among its descriptors", inherited_file, 0, PREVENTED},
    {"read the PIN", read_pin, 0, PREVENTED},
    {"read the site file", read_site, 0, PREVENTED},
    {"read another fonds", read_fonds, 0, PREVENTED},
    {"list another fonds", list_fonds, 0, PREVENTED},
    {"read another fonds through its folder", fonds_through_folder, 0, PREVENTED},
    {"read a published document", read_published, 0, PREVENTED},
    {"read the ledger", read_ledger, 0, PREVENTED},
    {"read /etc/passwd", read_passwd, 0, PREVENTED},
    {"list /", list_root, 0, PREVENTED},
    {"list /tmp", list_temporary, 0, PREVENTED},
    {"read the supervisor's environment", read_parent_environment, 0, PREVENTED},
    {"open the supervisor's memory", read_parent_memory, 0, PREVENTED},
    {"read the supervisor's memory map", read_parent_map, 0, PREVENTED},
    {"read the supervisor's command line", read_parent_words, 0, PREVENTED},
    {"list the supervisor's descriptors", list_parent_files, 0, PREVENTED},
    {"read its first environment", read_own_environment, 0, PREVENTED},
    {"find a secret in its environment", secret_by_name, 0, PREVENTED},
    {"find a secret in its memory", secret_in_memory, 0, PREVENTED},
    {"take the archive's lock", letter_read, 0, PREVENTED},
    {"write outside", write_outside, 0, PREVENTED},
    {"write a file without a name outside", write_nameless, 0, PREVENTED},
    {"make a folder outside", make_folder, 0, PREVENTED},
    {"write its input", write_input, 0, PREVENTED},
    {"write a published document", write_published, 0, PREVENTED},
    {"write the ledger", write_ledger, 0, PREVENTED},
    {"write the lock", write_lock, 0, PREVENTED},
    {"remove its input", remove_input, 0, PREVENTED},
    {"rename its input", rename_input, 0, PREVENTED},
    {"rename its input into the work folder", take_input, 0, PREVENTED},
    {"rename a file out", rename_out, 0, PREVENTED},
    {"rename a folder out", rename_folder_out, 0, PREVENTED},
    {"exchange a published document", exchange_published, 0, PREVENTED},
    {"remove a published document", remove_published, 0, PREVENTED},
    {"write its input through a hard link", link_input, 0, PREVENTED},
    {"link its input by a descriptor", link_descriptor, 0, PREVENTED},
    {"link a file out", link_out, 0, PREVENTED},
    {"write outside through a symbolic link", symlink_outside, 0, PREVENTED},
    {"make a pipe", make_pipe, 0, PREVENTED},
    {"make a socket's file", make_socket_file, 0, PREVENTED},
    {"truncate its input", truncate_input, 0, PREVENTED},
    {"truncate its input by open", truncate_by_open, 0, PREVENTED},
    {"truncate its input by an odd open", truncate_by_odd_open, 0, PREVENTED},
    {"truncate its input by openat2", truncate_by_openat2, 0, PREVENTED},
    {"chmod its input", chmod_input, 0, PREVENTED},
    {"fchmod its input", fchmod_input, 0, PREVENTED},
    {"chown its input", chown_input, 0, PREVENTED},
    {"set its input's times", utimes_input, 0, PREVENTED},
    {"set its input's times by descriptor", futimes_input, 0, PREVENTED},
    {"set an attribute of its input", setxattr_input, 0, PREVENTED},
    {"lease its input", lease_input, 0, PREVENTED},
    {"watch another fonds", watch_fonds, 0, PREVENTED},
    {"write a larger file than the limit", large_file, 0, PREVENTED},
    {"socket: IPv4", socket_inet, 0, PREVENTED},
    {"socket: datagrams", socket_datagram, 0, PREVENTED},
    {"socket: IPv6", socket_inet6, 0, PREVENTED},
    {"socket: unix", socket_unix, 0, PREVENTED},
    {"socket: netlink", socket_netlink, 0, PREVENTED},
    {"socket: a pair", socket_pair, 0, PREVENTED},
    {"start a program", start_program, 0, PREVENTED},
    {"start a process", start_process, 0, PREVENTED},
    {"start a process by clone", start_process_clone, 0, PREVENTED},
    {"start a process by clone3", start_process_clone3, 0, PREVENTED},
    {"outlive the supervisor", outlive, 0, PREVENTED},
    {"outlive the supervisor, oddly", outlive_odd, 0, PREVENTED},
    {"signal by kill", signal_kill, 0, PREVENTED},
    {"signal the group", signal_group, 0, PREVENTED},
    {"signal by tkill", signal_thread, 0, PREVENTED},
    {"signal by tgkill", signal_group_thread, 0, PREVENTED},
    {"signal by rt_sigqueueinfo", signal_queue, 0, PREVENTED},
    {"signal by rt_tgsigqueueinfo", signal_queue_thread, 0, PREVENTED},
    {"signal by a descriptor's owner", signal_owner, 0, PREVENTED},
    {"signal by a descriptor's owner, oddly", signal_owner_odd, 0, PREVENTED},
    {"signal by a descriptor's owner, extended", signal_owner_ex, 0, PREVENTED},
    {"open the supervisor's descriptor", parent_descriptor, 0, PREVENTED},
    {"look at the supervisor's limits", parent_limit, 0, PREVENTED},
    {"bind the supervisor to cores", parent_cores, 0, PREVENTED},
    {"set the supervisor's priority", parent_priority, 0, PREVENTED},
    {"copy the supervisor's memory", parent_memory, 0, PREVENTED},
    {"trace the supervisor", parent_traced, 0, PREVENTED},
    {"shared memory", shared_memory, 0, PREVENTED},
    {"shared semaphores", shared_semaphore, 0, PREVENTED},
    {"shared messages", shared_messages, 0, PREVENTED},
    {"a file of shared memory", shared_memory_file, 0, PREVENTED},
    {"a message queue", shared_queue, 0, PREVENTED},
    {"memory that no limit counts", uncounted_memory, 0, PREVENTED},
    {"powers of root", root_powers, 0, PREVENTED},
    {"may write", may_write, 0, ENABLED},
    {"may make folders", may_write_folder, 0, ENABLED},
    {"may write a file without a name", may_write_nameless, 0, ENABLED},
    {"may read its input", may_read_input, 0, ENABLED},
    {"may read data files", may_read_data, 0, ENABLED},
    {"may start threads", may_start_thread, 0, ENABLED},
    {"may signal itself", may_signal_itself, 0, ENABLED},
    {"may limit itself", may_limit_itself, 0, ENABLED},
    CALL(execve),
    CALL(execveat),
    CALL(connect),
    CALL(bind),
    CALL(listen),
    CALL(accept4),
    CALL(sendmsg),
    CALL(sendto),
    CALL(ioctl),
    CALL(process_vm_writev),
    CALL(process_madvise),
    CALL(pidfd_getfd),
    CALL(pidfd_send_signal),
    CALL(move_pages),
    CALL(migrate_pages),
    CALL(ioprio_set),
    CALL(sched_setscheduler),
    CALL(sched_setparam),
    CALL(sched_setattr),
    CALL(fchownat),
    CALL(fsetxattr),
    CALL(removexattr),
    CALL(symlinkat),
    CALL(linkat),
    CALL(mknodat),
    CALL(name_to_handle_at),
    CALL(open_by_handle_at),
    CALL(fanotify_init),
    CALL(io_uring_setup),
    CALL(io_setup),
    CALL(bpf),
    CALL(perf_event_open),
    CALL(userfaultfd),
    CALL(keyctl),
    CALL(add_key),
    CALL(request_key),
    CALL(mount),
    CALL(umount2),
    CALL(mount_setattr),
    CALL(move_mount),
    CALL(open_tree),
    CALL(fsopen),
    CALL(fspick),
    CALL(pivot_root),
    CALL(chroot),
    CALL(unshare),
    CALL(setns),
    CALL(swapon),
    CALL(quotactl),
    CALL(acct),
    CALL(syslog),
    CALL(settimeofday),
    CALL(clock_settime),
    CALL(clock_adjtime),
    CALL(sethostname),
    CALL(setdomainname),
    CALL(init_module),
    CALL(finit_module),
    CALL(delete_module),
    CALL(kexec_load),
    CALL(reboot),
};

#define N_ROWS (sizeof rows / sizeof rows[0])

static void try_row(const struct row *row, struct buf *to)
{
	static const char *const kinds[] = {"prevented", "enabled", "refused"};
	char line[200];
	errno = 0;
	long got = row->attempt != NULL ? row->attempt() : syscall(row->call, -1L, -1L, -1L, -1L, -1L, -1L);
	snprintf(line, sizeof line, "%s\t%s\t%d\n", row->name, kinds[row->kind], got >= 0 ? 0 : errno != 0 ? errno : EIO);
	buf_str(to, line);
}

void attempts_make(const char *folder, const char *name, struct buf *to)
{
	work = folder;
	for (size_t i = 0; i < N_ROWS; i++)
		if (name == NULL || strcmp(rows[i].name, name) == 0)
			try_row(&rows[i], to);
}

void attempts_tell(struct buf *to)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		buf_str(to, rows[i].name);
		buf_byte(to, '\n');
	}
}
