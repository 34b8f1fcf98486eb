// A parsed chat template: statements and expressions, every name bound to the variable it means,
// every filter, test and function already found. Built by TemplateParser and BindTemplateScopes,
// walked by TemplateRunner; immutable in between.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/text/template_value.h"

namespace baton {

struct TemplateNative;

/// A variable: `hops` frames out, then `slot`.
struct TemplateSlot {
  int hops = 0;
  int slot = -1;
};

/// The variables of one frame (the root, a loop's turn, a macro's call, ...) and what each is when
/// the frame begins.
struct TemplateFrameLayout {
  enum class Begin : std::uint8_t {
    kMissing,    // assigned before it is read
    kParameter,  // set by whoever opens the frame
    kResolve,    // what the request or the environment calls so
    kAlias,      // a copy of the outer variable: assigning it changes the copy alone
  };
  struct Variable {
    std::string name;
    Begin begin = Begin::kMissing;
    TemplateSlot outer;  // kAlias; hops are counted from this frame
  };
  std::vector<Variable> variables;
};

enum class TemplateOperator : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
};

struct TemplateExpression {
  enum class Kind : std::uint8_t {
    kConstant,   // value
    kName,       // name, slot
    kList,       // children
    kTuple,      // children
    kDict,       // children: key, value, key, value ...
    kAttribute,  // child 0 . name
    kIndex,      // child 0 [ child 1 ]
    kSlice,      // child 0 [ child 1 : child 2 : child 3 ], each of the three may be null
    kCall,       // child 0 ( the others, the last with `keywords` )
    kFilter,     // child 0 (null: a block's text) | native ( the others )
    kTest,       // child 0 is native ( the others )
    kNot,
    kNegate,
    kPlus,     // child 0
    kBinary,   // child 0 operators[0] child 1
    kCompare,  // child 0 operators[0] child 1 operators[1] child 2 ...
    kAnd,
    kOr,           // children 0, 1
    kConcat,       // children
    kConditional,  // child 1 if child 0 else child 2 (may be null)
  };

  Kind kind = Kind::kConstant;
  int line = 0;
  int height = 1;  // of the tree below, this included
  std::string name;
  TemplateValue value;
  TemplateSlot slot;
  const TemplateNative* native = nullptr;
  std::vector<TemplateOperator> operators;
  std::vector<std::string> keywords;
  std::vector<std::unique_ptr<TemplateExpression>> children;
};

/// What a `set` or `for` assigns to.
struct TemplateTarget {
  std::string name;       // a variable, or the namespace of `attribute`
  std::string attribute;  // `ns.attribute`
  TemplateSlot slot;
  std::vector<TemplateTarget> parts;  // not empty: unpacked into these
};

struct TemplateStatement {
  enum class Kind : std::uint8_t {
    kText,         // text
    kPrint,        // expression
    kIf,           // expression (null: else), body; other: its elifs and its else, each a kIf
    kFor,          // target, expression, filter (may be null), body, other (else)
    kSet,          // target, expression
    kSetBlock,     // target, filter (chain on the text, may be null), body
    kFilterBlock,  // filter, body
    kScope,        // body in a frame of its own ({% generation %})
    kMacro,        // target.name, parameters, defaults, body
    kBreak,
    kContinue,
  };

  Kind kind = Kind::kText;
  int line = 0;
  TemplateValue text;
  TemplateTarget target;
  TemplateTarget filter_target;  // kFor: `target` as the filter sees it
  std::unique_ptr<TemplateExpression> expression;
  std::unique_ptr<TemplateExpression> filter;
  std::vector<std::unique_ptr<TemplateExpression>> defaults;  // of the last parameters
  std::vector<TemplateTarget> parameters;
  std::vector<TemplateStatement> body;
  std::vector<TemplateStatement> other;
  TemplateFrameLayout frame;         // of the body
  TemplateFrameLayout filter_frame;  // kFor: of the filter
  TemplateFrameLayout other_frame;   // kFor: of the else
  int loop_slot = -1;                // kFor: where `loop` lies
};

}  // namespace baton
