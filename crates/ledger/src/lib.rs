//! The rules of value: amounts, assets, postings whose legs sum to zero
