#include "reporting/advice.h"

static const struct advice table[RESULTS] = {
    [RESULT_OTHER] =
	{"The reporter has a word for it that RFC 8460 does not have.",
	    "Read the report itself, the mail or file that it came in, with "
	    "\"danelaw report read\": it shows the reason, and what else there "
	    "is, in the reporter's words.",
	    "Ask the reporter (contact-info) what it means.", "RFC 8460 6.6"},
    [RESULT_STARTTLS_NOT_SUPPORTED] = {"The host did not offer STARTTLS, or "
				       "refused it.",
	"Is TLS off on that host, a backup MX most often? Does a firewall or "
	"a mail filter in front of it strip STARTTLS from the EHLO reply? One "
	"reporter alone may sit behind somebody who strips it on the way.",
	"Turn on STARTTLS on every MX host, and what rewrites SMTP off; "
	"compare with \"danelaw probe\" from another network.",
	"RFC 8460 4.3.1"},
    [RESULT_CERTIFICATE_HOST_MISMATCH] = {"The certificate does not have the "
					  "name that was asked for; with "
					  "MTA-STS also: the MX host is none "
					  "of the policy's mx.",
	"Does the certificate have the MX host's name (MTA-STS) or the TLSA "
	"base domain (DANE usage 2) among its DNS names? Was an MX record "
	"added or renamed, and not the policy or the certificate? Is the "
	"certificate chosen by SNI the wrong one?",
	"Get a certificate with every MX name in it; list every MX host in the "
	"policy and change its id.",
	"RFC 8460 4.3.1"},
    [RESULT_CERTIFICATE_EXPIRED] = {"The host showed a certificate that has "
				    "expired.",
	"See which MX host it is: as a rule a backup MX that nobody renews, or "
	"a server that was not reloaded after the renewal.",
	"Renew the certificate on that host and reload its mail server; let "
	"something watch the dates of all MX hosts.",
	"RFC 8460 4.3.1"},
    [RESULT_CERTIFICATE_NOT_TRUSTED] = {"The certificate leads to no authority "
					"that the reporter trusts.",
	"Is an intermediate certificate missing from the chain that the host "
	"sends? Is it self-signed, or from an authority of your own, which "
	"DANE takes and MTA-STS does not? Is the authority new or distrusted?",
	"Install the full chain, leaf first, then intermediates; \"danelaw "
	"check-config\" tells when one is missing.",
	"RFC 8460 4.3.1"},
    [RESULT_VALIDATION_FAILURE] = {"TLS failed in a way that has no word of "
				   "its own.",
	"Read the report itself, the mail or file that it came in, with "
	"\"danelaw report read\": its reason, where the reporter gives one, "
	"says what broke. Common are a handshake that broke off, no common "
	"protocol version or cipher, TLSA records of which none matches, and "
	"an MX host that the policy does not list. What our end saw of the "
	"senders, their TLS alert too, stands under \"here\".",
	"Offer TLS 1.2 and 1.3; after a new certificate or key, publish TLSA "
	"records that match it before it is used.",
	"RFC 8460 4.3.3"},
    [RESULT_TLSA_INVALID] = {"The TLSA records were there, and none was one "
			     "that can be used.",
	"Is a record malformed, of a wrong length for its digest, or of a "
	"usage that SMTP does not use (0 and 1)?",
	"Publish \"3 1 1\" records made from the key in use; \"danelaw tlsa\" "
	"makes them.",
	"RFC 8460 4.3.2.1"},
    [RESULT_DNSSEC_INVALID] = {"The reporter's resolver found the DNS answers "
			       "bogus, or got none.",
	"Have signatures expired? Does the DS record in the parent zone "
	"belong to a key that is no longer there? Does a name server fail to "
	"answer for TLSA?",
	"Sign the zone anew or correct the DS record; until then DANE senders "
	"defer your mail.",
	"RFC 8460 4.3.2.1"},
    [RESULT_DANE_REQUIRED] =
	{"The reporter was told to insist on DANE for you, and found no TLSA "
	 "records.",
	    "Were the records withdrawn, or the zone unsigned? Is an MX host "
	    "without records new?",
	    "Publish TLSA records for every MX host, or tell the reporter "
	    "(contact-info) that you no longer do.",
	    "RFC 8460 4.3.2.1"},
    [RESULT_STS_POLICY_FETCH_ERROR] = {"The record says that there is a "
				       "policy, and it could not be fetched.",
	"Is the policy host (mta-sts.) reachable by IPv4 and IPv6 on port 443? "
	"Does it answer 200, without a redirect, for "
	"/.well-known/mta-sts.txt?",
	"Bring the policy host back; senders with the policy in their cache "
	"go on with it until max_age is over.",
	"RFC 8460 4.3.2.2"},
    [RESULT_STS_POLICY_INVALID] = {"The policy was fetched, and is none.",
	"Is the version line there? Do mode, mx and max_age stand in it, each "
	"on a line of its own? Is it HTML, or longer than 64 KiB?",
	"Correct the text, then change the id of the record.",
	"RFC 8460 4.3.2.2"},
    [RESULT_STS_WEBPKI_INVALID] = {"The policy host showed a certificate that "
				   "does not hold.",
	"Has the certificate of mta-sts. expired, lacks it that name, or is an "
	"intermediate missing?",
	"Renew it: it needs the name of the policy host, not of the domain.",
	"RFC 8460 4.3.2.2"},
};

const struct advice *
advice_for(enum tls_result result)
{
	return result < RESULTS ? &table[result] : &table[RESULT_OTHER];
}
