//! What people at the centre's API may do with members, by their role.
//!
//! The centre's own people see all members. A dealer's people (L1) see by who cares for whom: a promoter 品推人员 what is
//! their own, a supervisor 品推主管 also what is of those under them, a manager 品推经理 all of their office. What a
//! promoter enters is valid only once a supervisor has approved it. How much of a group of fields is shown follows its
//! class (Y1). Out of scope: who somebody is, and the rest of the console, which is the centre's people's alone.

use hufu_shared::act::Sensitivity;
use hufu_shared::ids::{OfficeId, OperatorId};

/// What somebody is at the centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// 系统管理员: everything, accounts too.
    Admin,
    /// 信息管理专员: members, and what is most protected of them.
    Information,
    /// 客服: members.
    Clerk,
    /// 品推经理: sees all of the dealer, enters new ones.
    Manager,
    /// 品推主管: own entries hold at once; approves those of who is under them.
    Supervisor,
    /// 品推人员: enters, and sees their own.
    Promoter,
}

/// How much of a field is shown to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// As it stands there.
    Clear,
    /// Only that something stands there; as it stands there for a stated reason, which is put on record.
    WithReason,
    /// Nothing, whatever the reason.
    No,
}

/// Somebody with an account, as far as who sees whom goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Who.
    pub id: OperatorId,
    /// What they are.
    pub role: Role,
    /// Their direct superior.
    pub superior: Option<OperatorId>,
    /// Where they work; none for the centre.
    pub office: Option<OfficeId>,
}

impl Role {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 6] = [
        (Self::Admin, "admin"),
        (Self::Information, "information"),
        (Self::Clerk, "clerk"),
        (Self::Manager, "manager"),
        (Self::Supervisor, "supervisor"),
        (Self::Promoter, "promoter"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("promoter", |row| row.1)
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }

    /// Whether one of the centre's own people: they see all members and all pages.
    #[must_use]
    pub fn is_of_centre(self) -> bool {
        matches!(self, Self::Admin | Self::Information | Self::Clerk)
    }

    /// Whether an account of this role can have that one as its direct superior (L1): a dealer's people need one.
    #[must_use]
    pub fn can_be_under(self, superior: Option<Self>) -> bool {
        match (self, superior) {
            (Self::Promoter, Some(Self::Supervisor | Self::Manager)) => true,
            (Self::Supervisor, Some(Self::Manager)) | (Self::Manager, Some(Self::Admin)) => true,
            (Self::Promoter | Self::Supervisor | Self::Manager, _) => false,
            (_, superior) => superior.is_none_or(Self::is_of_centre),
        }
    }

    /// How much of a group of fields is shown (Y1).
    #[must_use]
    pub fn reads(self, class: Sensitivity) -> Reads {
        match (self, class) {
            (Self::Manager | Self::Supervisor | Self::Promoter, _) => Reads::No,
            (_, Sensitivity::Plain) => Reads::Clear,
            (_, Sensitivity::Personal) => Reads::WithReason,
            (Self::Admin | Self::Information, Sensitivity::Sensitive) => Reads::WithReason,
            (Self::Clerk, Sensitivity::Sensitive) => Reads::No,
        }
    }

    /// Whether somebody may open a day again that two people signed.
    #[must_use]
    pub fn reopens_days(self) -> bool {
        self == Self::Admin
    }

    /// Whether fields of a group can be filled in: who may never read what stands there may not write over it.
    #[must_use]
    pub fn fills_in(self, class: Sensitivity) -> bool {
        self.reads(class) != Reads::No
    }
}

/// Whether somebody sees what is cared for by another; none for what nobody cares for.
#[must_use]
pub fn sees(who: &Account, carer: Option<&Account>) -> bool {
    match (who.role, carer) {
        (role, _) if role.is_of_centre() => true,
        (_, None) => false,
        (Role::Manager, Some(carer)) => {
            carer.id == who.id || (who.office.is_some() && carer.office == who.office)
        }
        (Role::Supervisor, Some(carer)) => carer.id == who.id || carer.superior == Some(who.id),
        (_, Some(carer)) => carer.id == who.id,
    }
}

/// Whether somebody approves what is cared for by another (L1): nobody below a supervisor approves anything.
#[must_use]
pub fn approves(who: &Account, carer: Option<&Account>) -> bool {
    who.role != Role::Promoter && sees(who, carer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(n: u8, role: Role, superior: u8, office: u8) -> Account {
        Account {
            id: OperatorId([n; 16]),
            role,
            superior: (superior > 0).then_some(OperatorId([superior; 16])),
            office: (office > 0).then_some(OfficeId([office; 16])),
        }
    }

    #[test]
    fn rule_l01_who_sees_and_approves_whose_entries() {
        let clerk = account(1, Role::Clerk, 0, 0);
        let manager = account(2, Role::Manager, 9, 1);
        let supervisor = account(3, Role::Supervisor, 2, 1);
        let promoter = account(4, Role::Promoter, 3, 1);
        let peer = account(5, Role::Promoter, 6, 1);
        let elsewhere = account(7, Role::Promoter, 8, 2);
        for (who, carer, sees_it, approves_it) in [
            (&promoter, Some(&promoter), true, false),
            (&promoter, Some(&peer), false, false),
            (&supervisor, Some(&supervisor), true, true),
            (&supervisor, Some(&promoter), true, true),
            (&supervisor, Some(&peer), false, false),
            (&supervisor, Some(&manager), false, false),
            (&manager, Some(&promoter), true, true),
            (&manager, Some(&peer), true, true),
            (&manager, Some(&elsewhere), false, false),
            (&manager, None, false, false),
            (&clerk, Some(&elsewhere), true, true),
            (&clerk, None, true, true),
        ] {
            let met = (sees(who, carer), approves(who, carer));
            assert_eq!(met, (sees_it, approves_it), "{:?} of {:?}", who.role, carer.map(|carer| carer.id));
        }
    }

    #[test]
    fn rule_l01_a_staff_account_needs_a_direct_superior_of_the_next_rank() {
        use Role::{Admin, Clerk, Manager, Promoter, Supervisor};
        for (role, superior, expected) in [
            (Promoter, None, false),
            (Promoter, Some(Promoter), false),
            (Promoter, Some(Supervisor), true),
            (Promoter, Some(Manager), true),
            (Supervisor, None, false),
            (Supervisor, Some(Supervisor), false),
            (Supervisor, Some(Manager), true),
            (Manager, Some(Admin), true),
            (Manager, None, false),
            (Clerk, None, true),
            (Clerk, Some(Promoter), false),
        ] {
            assert_eq!(role.can_be_under(superior), expected, "{role:?} under {superior:?}");
        }
    }

    #[test]
    fn rule_y01_how_much_of_a_field_is_shown_follows_role_and_class() {
        use Sensitivity::{Personal, Plain, Sensitive};
        for (role, expected) in [
            (Role::Admin, [Reads::Clear, Reads::WithReason, Reads::WithReason]),
            (Role::Information, [Reads::Clear, Reads::WithReason, Reads::WithReason]),
            (Role::Clerk, [Reads::Clear, Reads::WithReason, Reads::No]),
            (Role::Manager, [Reads::No; 3]),
            (Role::Supervisor, [Reads::No; 3]),
            (Role::Promoter, [Reads::No; 3]),
        ] {
            assert_eq!([Plain, Personal, Sensitive].map(|class| role.reads(class)), expected, "{role:?}");
            assert_eq!(role.fills_in(Sensitive), expected[2] != Reads::No);
        }
        for (role, code) in Role::CODES {
            assert_eq!((role.code(), Role::from_code(code)), (code, Some(role)));
        }
    }
}
