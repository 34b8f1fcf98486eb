// The transition tables of both ends of a hand-off, as data. HandoffSenderTest and
// HandoffReceiverTest hold the code to them, MachinePictureTest the pictures and tables of
// docs/handoff.md.
#pragma once

#include <string>
#include <vector>

namespace baton {

struct MachineRow {
  const char* name;  // for the table: the state, and what is special about it
  char state;        // its letter
  const char* next;  // the letter that each event leads to, in the order of `events`; '-' where it
                     // cannot come, or our own side would break its contract
};

struct MachineTable {
  std::string name;
  /// In the picture: those of the way to success in a row, the last, failure, below them.
  std::vector<std::pair<char, const char*>> states;
  std::vector<const char*> events;
  std::vector<MachineRow> rows;
};

inline MachineTable SenderTable() {
  return {.name = "sender",
          .states = {{'W', "Waiting"},
                     {'O', "Offered"},
                     {'S', "Sending"},
                     {'C', "Committing"},
                     {'D', "Complete"},
                     {'F', "Failed"}},
          .events = {"session opens", "Grant", "pages ready", "layers ready", "first token",
                     "token ends request", "lease renewed", "lease unknown", "pieces posted",
                     "write reported", "write failed", "Abort", "CommitAck", "Commit refused",
                     "cancel", "session lost", "clock"},
          .rows = {{"Waiting", 'W', "OWWWWFWW---FWWFFF"},
                   {"Offered", 'O', "OSOOOFOO---FOOFFF"},
                   {"Sending", 'S', "SSSSSFSFSSFFSSFFF"},
                   {"Sending, token known, one piece left", 'S', "SSSSSSSFCSFFSSFFF"},
                   {"Sending, all posted, no token", 'S', "SSSSCFSF-SFFSSFFF"},
                   {"Committing", 'C', "CCCCCCCF-CFFDFCFF"},
                   {"Complete", 'D', "DDDDDDDD-DDDDDDDD"},
                   {"Failed", 'F', "FFFFFFFF-FFFFFFFF"}}};
}

inline MachineTable ReceiverTable() {
  return {.name = "receiver",
          .states = {{'E', "Expected"},
                     {'O', "Offered"},
                     {'R', "Receiving"},
                     {'K', "Committed"},
                     {'X', "Closed"}},
          .events = {"Offer", "Offer, other tokens", "pages lent", "refused", "piece landed",
                     "checksum wrong", "lease renewed", "Commit agrees", "Commit does not", "Abort",
                     "dropped here", "session lost", "clock"},
          .rows = {{"Expected", 'E', "OXEXEEEEEEXEE"},
                   {"Offered", 'O', "OORXOOOOOXXXX"},
                   {"Receiving, pages still to be lent", 'R', "RRRXRXRXXXXXX"},
                   {"Receiving, all lent", 'R', "RR-XRXRKXXXXX"},
                   {"Committed", 'K', "KKKKKKKKKKKKK"},
                   {"Closed", 'X', "XXXXXXXXXXXXX"}}};
}

}  // namespace baton
