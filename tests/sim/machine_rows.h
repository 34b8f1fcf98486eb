// Rows of docs/handoff.md's two tables, as "machine state event next", that a simulated cluster
// takes in any thousand seeds; if not, the simulation has lost sight of something. What is rarer (a
// Grant that never comes, a lease that is not known any more) stands in the machines' own tests and
// in the search of the small world.
#pragma once

#include <array>

namespace baton {

inline constexpr std::array kMachineRows = {
    "receiver Closed Dropped Closed",           "receiver Closed PeerAborted Closed",
    "receiver Committed PeerAborted Committed", "receiver Expected Dropped Closed",
    "receiver Expected Offered Offered",        "receiver Offered Dropped Closed",
    "receiver Offered Lent Receiving",          "receiver Offered PeerAborted Closed",
    "receiver Offered Refused Closed",          "receiver Offered SessionLost Closed",
    "receiver Receiving CommitArrived Closed",  "receiver Receiving CommitArrived Committed",
    "receiver Receiving Corrupted Closed",      "receiver Receiving Dropped Closed",
    "receiver Receiving PeerAborted Closed",    "receiver Receiving Progressed Receiving",
    "receiver Receiving Renewed Receiving",     "receiver Receiving SessionLost Closed",
    "receiver Receiving Timer Closed",          "sender Committing Cancelled Committing",
    "sender Committing CommitAcked Complete",   "sender Committing CommitAcked Failed",
    "sender Committing PeerAborted Failed",     "sender Committing SessionLost Failed",
    "sender Committing Timer Failed",           "sender Committing WriteReported Failed",
    "sender Complete Renewed Complete",         "sender Failed CommitAcked Failed",
    "sender Failed PeerAborted Failed",         "sender Offered Cancelled Failed",
    "sender Offered FirstToken Failed",         "sender Offered Granted Failed",
    "sender Offered Granted Sending",           "sender Offered PeerAborted Failed",
    "sender Offered SessionLost Failed",        "sender Sending Cancelled Failed",
    "sender Sending FirstToken Committing",     "sender Sending FirstToken Failed",
    "sender Sending PeerAborted Failed",        "sender Sending Posted Committing",
    "sender Sending Renewed Sending",           "sender Sending SessionLost Failed",
    "sender Sending WriteReported Failed",      "sender Waiting Cancelled Failed",
    "sender Waiting FirstToken Failed",         "sender Waiting SessionLost Failed",
    "sender Waiting SessionOpened Offered",
};

}  // namespace baton
