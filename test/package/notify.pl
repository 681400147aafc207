# systemd's notification socket, where there is no systemd: prints what it is told, and follows MAINPID= (systemctl.sh).
use strict;
use Socket;
$| = 1;
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
bind($socket, pack_sockaddr_un('/run/vipd-notify')) or die "bind: $!";
print "listening\n";
while (defined recv($socket, my $said, 4096, 0)) {
  if ($said =~ /^MAINPID=(\d+)$/m) {
    open(my $file, '>', '/run/vipd-service.pid') or die "open: $!";
    print $file "$1\n";
    close $file;
  }
  print "$said\n";
}
