#!/usr/bin/perl
# Sends packets to many targets from where it runs, and tells which of them answer.
#
#   probe.pl SECONDS < TARGETS
#
# A target is a line `ID ping ADDRESS`, or `ID tcp|udp|sctp ADDRESS PORT TEXT`, where the answer must be the line TEXT. For
# each target one line comes out: `ID ok`, `ID none REASON` where the kernel lacks the protocol, or `ID bad REASON` where
# none of the tries within SECONDS succeeded. Each try has a new socket: the first packets of a new path may be lost.
use strict;
use warnings;
use Errno qw(EAFNOSUPPORT EPROTONOSUPPORT ESOCKTNOSUPPORT EPROTOTYPE EINPROGRESS);
use Fcntl qw(F_SETFL O_NONBLOCK);
use Socket qw(:DEFAULT IPPROTO_TCP IPPROTO_UDP IPPROTO_ICMP IPPROTO_ICMPV6 pack_sockaddr_in6 inet_pton);

use constant SCTP => 132;           # IPPROTO_SCTP; Perl's Socket has no name for it
use constant FIRST_PATIENCE => 0.4; # seconds for the first try of each target, the others get more
use constant PATIENCE => 1;

my ($seconds) = @ARGV;
die "usage: probe.pl SECONDS < TARGETS\n" unless defined $seconds;
$| = 1;
my @waiting = map { chomp; [split / /] } <STDIN>;
my $deadline = time + $seconds;
my $patience = FIRST_PATIENCE;
my $sequence = 0;
while (@waiting) {
    my @again;
    for my $target (@waiting) {
        my ($id, $kind, @where) = @$target;
        my $failure = $kind eq 'ping' ? ping(@where) : ask($kind, @where);
        if ($failure eq '') { print "$id ok\n" }
        elsif ($failure =~ /^no /) { print "$id none $failure\n" }
        elsif (time >= $deadline) { print "$id bad $failure\n" }
        else { push @again, $target }
    }
    @waiting = @again;
    $patience = PATIENCE;
}

# Gives '' for the expected answer, else what went wrong.
sub ask {
    my ($kind, $address, $port, $text) = @_;
    my $code = { tcp => IPPROTO_TCP, udp => IPPROTO_UDP, sctp => SCTP }->{$kind} or return "no protocol $kind";
    my ($family, $to) = endpoint($address, $port);
    socket my $socket, $family, $kind eq 'udp' ? SOCK_DGRAM : SOCK_STREAM, $code or return unable($kind);
    fcntl $socket, F_SETFL, O_NONBLOCK;
    if (!connect $socket, $to) {
        return "connect: $!" unless $! == EINPROGRESS;
        return 'connect: timed out' unless ready($socket, 1);
        my $error = unpack 'i', getsockopt $socket, SOL_SOCKET, SO_ERROR;
        if ($error) { local $! = $error; return "connect: $!" }
    }
    syswrite $socket, "?\n" if $kind eq 'udp';
    my $answer = '';
    while (ready($socket, 0)) {
        my $count = sysread $socket, $answer, 4096, length $answer;
        return "read: $!" unless defined $count;
        last if $count == 0 || $kind eq 'udp';
    }
    return '' if $answer eq "$text\n";
    return $answer eq '' ? 'answer missing' : "the answer is $answer" =~ tr/\n/ /r;
}

# ICMP echo: RFC 792, RFC 4443 section 4.
sub ping {
    my ($address) = @_;
    my ($family, $to) = endpoint($address, 0);
    my $six = $family == PF_INET6;
    socket my $socket, $family, SOCK_RAW, $six ? IPPROTO_ICMPV6 : IPPROTO_ICMP or return unable('icmp');
    my ($request, $reply) = $six ? (128, 129) : (8, 0);
    my @echo = ($$ & 0xffff, ++$sequence & 0xffff);
    # The kernel fills in the checksum of ICMPv6 itself.
    my $sum = $six ? 0 : checksum(pack 'CCnnn', $request, 0, 0, @echo);
    send $socket, pack('CCnnn', $request, 0, $sum, @echo), 0, $to or return "send: $!";
    while (ready($socket, 0)) {
        recv $socket, my $data, 4096, 0;
        $data = substr $data, 4 * (ord($data) & 15) if !$six;
        my ($type, undef, undef, @got) = unpack 'CCnnn', $data;
        return '' if @got == 2 && $type == $reply && "@got" eq "@echo" && length $data >= 8;
    }
    return 'answer missing';
}

sub endpoint {
    my ($address, $port) = @_;
    return (PF_INET6, pack_sockaddr_in6($port, inet_pton(PF_INET6, $address))) if $address =~ /:/;
    return (PF_INET, pack_sockaddr_in($port, inet_pton(PF_INET, $address)));
}

sub unable {
    my ($what) = @_;
    return "no $what in this kernel" if grep { $! == $_ } EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EPROTOTYPE;
    return "socket: $!";
}

sub ready {
    my ($socket, $write) = @_;
    vec(my $bits = '', fileno $socket, 1) = 1;
    my @sets = $write ? (undef, $bits, undef) : ($bits, undef, undef);
    return select($sets[0], $sets[1], $sets[2], $patience) > 0;
}

# RFC 1071.
sub checksum {
    my ($data) = @_;
    my $sum = 0;
    $sum += $_ for unpack 'n*', $data;
    $sum = ($sum >> 16) + ($sum & 0xffff) while $sum >> 16;
    return ~$sum & 0xffff;
}
